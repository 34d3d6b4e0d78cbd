import type { Stats } from "node:fs";
import { Failure } from "../failure.ts";

/**
 * Returns if only its owner writes a file, and only he and its group read it: so `sync` is given what is
 * root's.
 *
 * @throws Failure `source/too-open`
 */
export function requireClosed({ mode }: Stats, file: string): void {
  if ((mode & 0o027) === 0) return;
  const found = (mode & 0o777).toString(8).padStart(4, "0");
  throw new Failure(
    "source/too-open",
    `${file} has mode ${found}: others than its owner and its group may read it, or others than its owner write it`,
    `chmod o-rwx,g-w ${file}`,
  );
}
