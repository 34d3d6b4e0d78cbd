import { realpathSync } from "node:fs";
import { readRegularFile } from "./files.ts";

/**
 * As {@link readRegularFile}, of a file that a person names, who may name a link to it: keys and service
 * files are often kept elsewhere. Of a source nothing is read so.
 *
 * @throws Failure as readRegularFile does
 */
export function readNamedFile(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  return readRegularFile(followed(path), maxBytes);
}

/** What a link leads to; the path itself where nothing is, so that the error names what was named. */
function followed(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}
