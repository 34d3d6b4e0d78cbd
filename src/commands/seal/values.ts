import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { encodeBase64 } from "../../crypto/base64.ts";
import { randomBytes, textOf, utf8, wipe } from "../../crypto/bytes.ts";
import { Failure } from "../../failure.ts";
import { nameKinds } from "../../formats/names.ts";
import { maxValueSize } from "../../formats/payload.ts";
import { readNamedFile } from "../../host/named-files.ts";
import { checkVariable } from "../../service/variable.ts";
import type { Context } from "../context.ts";
import { readGivenValue } from "./given-value.ts";
import { readImports, type ImportOptions } from "./import.ts";

/** Where `seal` takes values from. */
export interface ValueOptions extends ImportOptions {
  /** Values that are at hand, by credential. They are wiped with the others. */
  readonly given?: ReadonlyMap<string, Uint8Array>;
  /** `CREDENTIAL` (asked at a prompt), `CREDENTIAL=FILE` or `CREDENTIAL=-`. */
  readonly credentials: readonly string[];
  /** Variables of the environment; each becomes the credential of its name. */
  readonly fromEnv: readonly string[];
  readonly fromEnvFile: string | undefined;
  /** Credentials for which a value is made up. */
  readonly generate: readonly string[];
  /** Whether one newline at the end of each value is taken off. */
  readonly trim: boolean;
  /** Whether a value that was given by itself may have no byte: it is what a command that failed leaves. */
  readonly allowEmpty: boolean;
  /** Credentials that have to fit an environment variable. */
  readonly forEnvironment: readonly string[];
}

const [carriageReturn, newline] = [0x0d, 0x0a];

/**
 * The values that were given, by credential. The caller wipes them.
 *
 * @throws Failure `usage/value-in-argument`, `usage/bad-name`, `usage/invalid`,
 *   `credential/empty`, `credential/too-large`, `credential/not-for-environment`, `credential/unreadable`, and as {@link readImports}
 */
export async function readValues(
  context: Context,
  options: ValueOptions,
): Promise<Map<string, Uint8Array>> {
  const values = new Map<string, Uint8Array>();
  const add = (name: string, value: Uint8Array): void => {
    if (values.has(name)) throw new Failure("usage/invalid", `credential ${name} is given twice`);
    values.set(name, treatNewline(context, name, value, options.trim));
  };
  try {
    const addOne = (name: string, value: Uint8Array): void => {
      add(name, value);
      if (values.get(name)?.length !== 0 || options.allowEmpty) return;
      throw new Failure("credential/empty", `credential ${name} has no byte`);
    };
    for (const [name, value] of options.given ?? []) add(name, value);
    for (const argument of options.credentials) {
      const name = credentialName(argument.split("=", 1)[0] ?? "");
      addOne(name, await readGivenValue(context, name, argument.slice(name.length)));
    }
    for (const name of options.fromEnv) {
      const value = context.environment[name];
      if (value === undefined)
        throw new Failure(
          "credential/unreadable",
          `there is no variable ${credentialName(name)}`,
          "export it, or give the value by file (NAME=FILE) or on standard input (NAME=-)",
        );
      addOne(credentialName(name), utf8(value));
    }
    for (const [name, value] of await readEnvFile(context, options.fromEnvFile)) {
      add(credentialName(name), utf8(value));
    }
    for await (const [name, value] of readImports(context, options)) {
      add(credentialName(name), value);
    }
    for (const name of options.generate) {
      add(credentialName(name), encodeBase64(randomBytes(32), false));
    }
    for (const [name, value] of values) {
      if (value.length === 0) context.warn(`credential ${name} is empty`);
      checkValue(name, value, options.forEnvironment.includes(name));
    }
    return values;
  } catch (error) {
    wipe(...values.values());
    throw error;
  }
}

/** Without repeating what isn't a name: it may be a secret that stands in the wrong place. */
function credentialName(text: string): string {
  if (nameKinds.credential.is(text)) return text;
  throw new Failure(
    "usage/bad-name",
    `an argument that should name a credential is not ${nameKinds.credential.form}, beginning with a letter or digit (not repeated here, it may be a secret)`,
  );
}

async function readEnvFile(
  context: Context,
  file: string | undefined,
): Promise<[name: string, value: string][]> {
  if (file === undefined) return [];
  const bytes = await readNamedFile(resolve(context.directory, file), maxValueSize);
  const text = bytes === undefined ? undefined : textOf(bytes);
  if (bytes === undefined || text === undefined) {
    throw new Failure("credential/unreadable", `${file} can't be read, or is not UTF-8`);
  }
  wipe(bytes);
  return Object.entries(parseEnv(text)).map(([name, value]) => [name, value ?? ""]);
}

/** Bytes are never changed silently: people's editors end files with a newline that tokens don't have. */
function treatNewline(
  context: Context,
  name: string,
  value: Uint8Array,
  trim: boolean,
): Uint8Array {
  const ending = value.at(-1) !== newline ? 0 : value.at(-2) === carriageReturn ? 2 : 1;
  if (ending === 0) return value;
  if (trim) {
    const trimmed = value.slice(0, -ending);
    wipe(value);
    return trimmed;
  }
  const what = ending === 2 ? "a carriage return and a newline" : "a newline";
  context.warn(`credential ${name} ends in ${what}, which is sealed with it; --trim takes it off`);
  return value;
}

function checkValue(name: string, value: Uint8Array, forEnvironment: boolean): void {
  if (value.length > maxValueSize) {
    throw new Failure(
      "credential/too-large",
      `credential ${name} is over ${String(maxValueSize)} bytes`,
    );
  }
  if (forEnvironment) checkVariable(name, value, name);
}
