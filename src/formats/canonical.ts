import * as z from "zod/mini";
import { equalBytes, textOf, utf8 } from "../crypto/bytes.ts";
import { Failure, type FailureCode } from "../failure.ts";

// Every record is JSON in exactly one spelling (docs/bundle-format.md §2): two spaces, one
// newline at the end, the fields in the order of the schema. What parses therefore encodes back
// to the same bytes, and doubled fields, other escapes or numbers, a byte order mark and bytes
// after the end can't be written at all.

/** The bytes of a record. The value's fields must stand in the order of its schema. */
export function encodeRecord(record: object): Uint8Array {
  return utf8(`${JSON.stringify(record, null, 2)}\n`);
}

/**
 * The record that `bytes` spell.
 *
 * @param what - names the record in the message
 * @throws Failure with `code`; the message names the field, and quotes nothing of the input but
 *   the names of unknown fields
 */
export function decodeRecord<T extends object>(
  bytes: Uint8Array,
  schema: z.ZodMiniType<T>,
  code: FailureCode,
  what: string,
  maxSize: number,
): T {
  if (bytes.length > maxSize) {
    throw new Failure(
      code,
      `${what} has ${String(bytes.length)} bytes, more than ${String(maxSize)}`,
    );
  }
  const record = parseFields(parseJson(bytes, code, what), schema, code, what);
  if (!equalBytes(encodeRecord(record), bytes)) {
    throw new Failure(code, `${what} is not in the one spelling that records have`);
  }
  return record;
}

function parseJson(bytes: Uint8Array, code: FailureCode, what: string, hint?: string): unknown {
  const text = textOf(bytes);
  if (text === undefined) throw new Failure(code, `${what} is not UTF-8`);
  try {
    return JSON.parse(text);
  } catch {
    // Without the parser's message, which quotes the text.
    throw new Failure(code, `${what} is not JSON`, hint);
  }
}

function parseFields<T>(
  value: unknown,
  schema: z.ZodMiniType<T>,
  code: FailureCode,
  what: string,
): T {
  const parsed = checkFields(value, schema);
  if (parsed === undefined) throw new Failure(code, `${what} has more faults than can be listed`);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue === undefined ? "" : describePath(issue.path);
  const unknownFields =
    issue?.code === "unrecognized_keys" ? ` (${issue.keys.join(", ").slice(0, 80)})` : "";
  const isOurs = issue !== undefined && issue.message !== unsaid;
  const reason = isOurs ? issue.message : (issue?.code ?? "invalid").replaceAll("_", " ");
  throw new Failure(
    code,
    `${what}: ${field === "" ? "the whole" : field}: ${reason}${unknownFields}`,
  );
}

/** `bundles[0].name` */
function describePath(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === "number" ? `[${String(key)}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./u, "");
}

/** What zod is told to say where a schema says nothing: a package of another's may have given it a language. */
const unsaid = "invalid";

/** What zod says, or undefined if it has so much to say that the stack doesn't hold it. */
function checkFields<T>(
  value: unknown,
  schema: z.ZodMiniType<T>,
): ReturnType<typeof z.safeParse<typeof schema>> | undefined {
  try {
    return z.safeParse(schema, value, { error: () => unsaid });
  } catch (error) {
    // It passes on a list's faults as arguments of one call: some hundred thousand are too many.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * The value in a configuration file: JSON in any spelling, written by people.
 *
 * @throws Failure with `code`; the message names the field
 */
export function decodeConfiguration<T>(
  bytes: Uint8Array,
  schema: z.ZodMiniType<T>,
  what: string,
  code: FailureCode = "configuration/invalid",
): T {
  const hint =
    "jq . FILE names the line; it may have no comment, and no comma before a bracket that ends";
  return parseFields(parseJson(bytes, code, what, hint), schema, code, what);
}
