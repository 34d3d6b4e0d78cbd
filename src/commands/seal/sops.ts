import { textOf, utf8, wipe } from "../../crypto/bytes.ts";
import { Failure } from "../../failure.ts";

/** A credential's name, and its value. */
export type Imported = readonly [name: string, value: Uint8Array];

/** What of a file that sops holds becomes credentials. */
export interface SopsChoice {
  /** For the messages. */
  readonly file: string;
  /** Keys joined by `/`, as sops-nix has them; the whole file if undefined. */
  readonly key: string | undefined;
  /** What the one value is called; after its key if undefined. */
  readonly name: string | undefined;
}

/**
 * The one value that was chosen, or each value of the file or group that was.
 *
 * @param json - what sops has decrypted; it is wiped
 * @throws Failure `credential/missing`, `credential/undecryptable`, `usage/invalid`
 */
export function chooseFromSops(json: Uint8Array, choice: SopsChoice): Imported[] {
  const chosen = descend(parseAndWipe(json, choice.file), choice);
  const { file, key, name } = choice;
  if (!isGroup(chosen)) {
    const last = key?.split("/").at(-1) ?? file;
    return [[name ?? last, valueOf(chosen, choice)]];
  }
  if (name !== undefined) {
    throw new Failure(
      "usage/invalid",
      `credential ${name} is to be all of ${whereIn(choice)}, which is a group of values`,
      `name one of them: ${name}=${file}#${[key, Object.keys(chosen)[0]].filter(Boolean).join("/")}`,
    );
  }
  const members = Object.entries(chosen);
  if (members.length === 0) {
    throw new Failure("credential/missing", `${whereIn(choice)} has no values`, seeKeys(file));
  }
  return members.map(([member, value]) => [
    member,
    valueOf(value, { ...choice, key: key === undefined ? member : `${key}/${member}` }),
  ]);
}

type Group = Readonly<Record<string, unknown>>;

function isGroup(value: unknown): value is Group {
  return typeof value === "object" && value !== null;
}

const whereIn = ({ file, key }: SopsChoice): string =>
  key === undefined ? file : `${file}#${key}`;

const seeKeys = (file: string): string => `see its keys, which sops doesn't encrypt, in ${file}`;

function parseAndWipe(json: Uint8Array, file: string): unknown {
  try {
    return JSON.parse(textOf(json) ?? "");
  } catch {
    throw new Failure("credential/undecryptable", `sops doesn't give ${file} as JSON`);
  } finally {
    wipe(json);
  }
}

function descend(tree: unknown, choice: SopsChoice): unknown {
  let at = tree;
  for (const key of choice.key?.split("/") ?? []) {
    if (!isGroup(at) || !Object.hasOwn(at, key)) {
      throw new Failure(
        "credential/missing",
        `${choice.file} has no ${choice.key ?? key}`,
        seeKeys(choice.file),
      );
    }
    at = at[key];
  }
  return at;
}

/** The bytes of a text; what JSON may have changed on its way is refused. */
function valueOf(value: unknown, choice: SopsChoice): Uint8Array {
  if (typeof value === "string") return utf8(value);
  if (typeof value === "boolean" || Number.isSafeInteger(value)) return utf8(String(value));
  const where = whereIn(choice);
  if (isGroup(value)) {
    throw new Failure(
      "usage/invalid",
      `${where} is a group of values`,
      `take it by itself: --from-sops ${where}`,
    );
  }
  throw new Failure(
    "usage/invalid",
    `${where} is neither text nor a whole number, so that its bytes aren't known`,
    "write it in quotes: sops edit FILE",
  );
}
