import { resolve } from "node:path";
import { Failure } from "../../failure.ts";
import { maxValueSize } from "../../formats/payload.ts";
import { readNamedFile } from "../../host/named-files.ts";
import type { Context } from "../context.ts";

/**
 * The value of a credential, from where the command line says.
 *
 * @param name - of the credential
 * @param rest - what follows the name: nothing, `=FILE` or `=-`
 * @throws Failure `credential/too-large`, `credential/unreadable`, `usage/value-in-argument`
 */
export async function readGivenValue(
  context: Context,
  name: string,
  rest: string,
): Promise<Uint8Array> {
  if (rest === "") return context.secret(`value of ${name}`);
  if (rest === "=-") return context.input();
  if (rest === "=") {
    throw new Failure("usage/value-in-argument", `credential ${name}: nothing follows '='`);
  }
  // Neither here nor in the error below is the text repeated: it may be the value itself.
  const file = resolve(context.directory, rest.slice(1));
  const bytes = await readNamedFile(file, maxValueSize + 1).catch((error: unknown) => {
    if (error instanceof Failure && error.code === "source/hostile") {
      throw new Failure(
        "credential/too-large",
        `credential ${name} is over ${String(maxValueSize)} bytes, or its file is no plain file`,
        `seal a smaller file; what a pipe or a device gives is given on standard input: ${name}=-`,
      );
    }
    throw new Failure("credential/unreadable", `the file for credential ${name} can't be read`);
  });
  if (bytes !== undefined) return bytes;
  throw new Failure(
    "usage/value-in-argument",
    `credential ${name}: what follows '=' is no file (not repeated here, it may be a secret)`,
  );
}
