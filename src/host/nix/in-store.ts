import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { storePathOf } from "../../service/store-path.ts";

/** Whether a directory is a store path or lies below one, by its own name and by no link. */
export function isInStoreItself(path: string): boolean {
  const directory = resolve(path);
  if (storePathOf(directory) === undefined) return false;
  try {
    return realpathSync(directory) === directory;
  } catch {
    // It isn't there, which is told when it is read.
    return false;
  }
}
