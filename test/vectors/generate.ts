/**
 * Writes the files of all vectors: `node test/vectors/generate.ts`. Every key and every random
 * number is fixed, so that the same files come out each time; a test holds them together.
 *
 * From release 1.0 on vectors are only added. A file that would change is a change of the format.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { vectorFiles, vectorFolder } from "./all.ts";

for (const [name, content] of vectorFiles()) {
  const path = join(vectorFolder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
