import { basename, resolve } from "node:path";
import { Failure } from "../failure.ts";
import { parseName } from "../formats/names.ts";
import { decodeServiceFile } from "../formats/service-file.ts";
import { readRegularFile, writeFileAtomic } from "../host/files.ts";
import { parseProgram } from "../service/store-path.ts";
import { systemdUnit } from "../service/systemd-unit.ts";
import { utf8 } from "../crypto/bytes.ts";
import type { Context } from "./context.ts";
import { guardFor } from "./unit-guard.ts";

const maxFileSize = 1024 * 1024;

/** Writes the unit of a service, checked against what is sealed for it. */
export async function unit(
  context: Context,
  path: string,
  options: { readonly output?: string | undefined },
): Promise<void> {
  const service = decodeServiceFile(await readFileOf(context, path), basename(path));
  const { storePath } = parseProgram(service.program);
  // The wrapper compares with what PID 1 has, which doesn't resolve variables.
  if (/[$\p{Cc}]/u.test(service.program)) {
    throw new Failure("service/malformed", `${basename(path)}: program: has a '$' in its path`);
  }
  const name = parseName("unit", `${service.name}.service`);
  const guard = await guardFor(context, name, {
    bundles: service.bundles,
    credentials: service.credentials,
    variables: service.env,
    renders: new Map(Object.entries(service.renders)),
    believesNames: false,
  });
  const text = systemdUnit(service, guard);
  const { output = "-" } = options;
  if (output === "-") await context.output(utf8(text));
  else {
    await writeFileAtomic(resolve(context.directory, output), utf8(text), 0o644);
    context.print(`wrote ${output}: ${name} runs ${storePath}`);
    context.result({ unit: name, output, credentials: guard.credentials });
  }
}

/** @throws Failure `file/absent` */
export async function readFileOf(context: Context, path: string): Promise<Uint8Array> {
  const bytes = await readRegularFile(resolve(context.directory, path), maxFileSize);
  if (bytes !== undefined) return bytes;
  throw new Failure("file/absent", `there is no ${path}`);
}
