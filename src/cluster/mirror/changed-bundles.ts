import { nameKinds } from "../../formats/names.ts";
import { bundleFolder, headersFolder } from "../../formats/paths.ts";
import { isHash } from "../bundles.ts";
import type { Mirrored } from "./mirroring.ts";

/**
 * The bundles that have to be mirrored anew because these objects were written or removed; undefined if
 * more than bundles may have changed.
 *
 * @param mirrored - the pass before
 */
export function changedBundles(
  { bundles, standing: { epochs } }: Pick<Mirrored, "bundles" | "standing">,
  paths: readonly string[],
): readonly string[] | undefined {
  const changed = new Set<string>();
  for (const path of paths) {
    const bundle =
      bundles.find((name) => path.startsWith(`${bundleFolder(name)}/`)) ?? ofHeader(path);
    if (bundle === undefined) return undefined;
    changed.add(bundle);
  }
  // One whose name begins with another's lies in its folders.
  const within = bundles.filter((name) => [...changed].some((one) => name.startsWith(`${one}/`)));
  return [...new Set([...changed, ...within])].toSorted();

  function ofHeader(path: string): string | undefined {
    for (const { pool, epoch } of epochs) {
      const folder = `${headersFolder(pool, epoch)}/`;
      const end = path.lastIndexOf("/");
      const name = path.slice(folder.length, end);
      if (path.startsWith(folder) && nameKinds.bundle.is(name) && isHash(path.slice(end + 1)))
        return name;
    }
    return undefined;
  }
}
