import { resolve } from "node:path";
import { Failure } from "../failure.ts";
import { readNamedFile } from "../host/named-files.ts";
import type { Context } from "./context.ts";

const maxFileSize = 1024 * 1024;

/** The bytes of a file that the command line names. @throws Failure `file/absent`, `source/hostile` */
export async function readFileOf(context: Context, path: string): Promise<Uint8Array> {
  const bytes = await readNamedFile(resolve(context.directory, path), maxFileSize);
  if (bytes !== undefined) return bytes;
  throw new Failure("file/absent", `there is no ${path}`);
}
