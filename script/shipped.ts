/**
 * Prints the folders below node_modules that the built program needs beside dist/: Node itself, and
 * the packages that aren't bundled, with all that they depend on. For script/deb and nix/package.nix.
 */
import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";

interface Metafile {
  readonly outputs: Record<
    string,
    { readonly imports: readonly { readonly path: string; readonly external?: boolean }[] }
  >;
}
interface Lock {
  readonly packages: Record<string, { readonly dependencies?: Record<string, string> } | undefined>;
}

const root = join(import.meta.dirname, "..");
const read = (name: string): unknown => JSON.parse(readFileSync(join(root, name), "utf8"));
const { outputs } = read("dist/meta.json") as Metafile;
const { packages } = read("package-lock.json") as Lock;

const needed = new Set([`node_modules/node-linux-${process.arch}`]);

/** As Node looks for a package: beside the one that names it, then further up. */
function need(name: string, from: string): void {
  for (
    let place = from;
    ;
    place = place.slice(0, Math.max(0, place.lastIndexOf("/node_modules/")))
  ) {
    const found = `${place === "" ? "" : `${place}/`}node_modules/${name}`;
    const entry = packages[found];
    if (entry !== undefined) {
      if (needed.has(found)) return;
      needed.add(found);
      for (const dependency of Object.keys(entry.dependencies ?? {})) need(dependency, found);
      return;
    }
    if (place === "") throw new Error(`${name}, which ${from} needs, is not in package-lock.json`);
  }
}

for (const { path, external } of Object.values(outputs).flatMap((output) => output.imports)) {
  if (external !== true || isBuiltin(path)) continue;
  need(/^(@[^/]+\/)?[^/]+/u.exec(path)?.[0] ?? path, "");
}
process.stdout.write(`${[...needed].sort().join("\n")}\n`);
