import type { Source } from "../sources/source.ts";

/**
 * The paths of the objects below a folder, in no order.
 *
 * @throws Failure `source/unreadable`
 */
export async function objectsBelow(source: Source, folder: string): Promise<string[]> {
  const found: string[] = [];
  // Folders are at most as deep as a header's name is long.
  for (const name of await source.list(folder)) {
    const path = `${folder}/${name}`;
    const below = name.startsWith(".") ? [] : await objectsBelow(source, path);
    found.push(...(below.length > 0 || name.startsWith(".") ? below : [path]));
  }
  return found;
}
