import { contentAddressedPath, encodeNar, type Tree } from "./nar.ts";

/**
 * The name in the store of a generation of a bundle. A bundle's name has no capitals and no blanks, and
 * its 128 bytes are fewer than a store path's name may have.
 */
export function sealedName(bundle: string, series: number, generation: number): string {
  return `sealaunch-${bundle.replaceAll("/", "-")}-${String(series)}.${String(generation)}`;
}

/** The tree with these files, by their paths in it. */
export function treeOf(files: ReadonlyMap<string, Uint8Array>): Tree {
  const tree = new Map<string, Tree | Uint8Array>();
  const folders = Map.groupBy(files, ([path]) => path.split("/", 1)[0] ?? "");
  for (const [name, inside] of folders) {
    const [only] = inside;
    if (only?.[0] === name) tree.set(name, only[1]);
    else {
      const below = inside.map(([path, bytes]) => [path.slice(name.length + 1), bytes] as const);
      tree.set(name, treeOf(new Map(below)));
    }
  }
  return tree;
}

/** The store path of a tree of sealed files: the same on every machine. */
export function sealedPath(name: string, tree: Tree): string {
  return contentAddressedPath(name, encodeNar(tree, "plain"));
}
