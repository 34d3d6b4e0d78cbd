import { nameKinds } from "../formats/names.ts";
import { bundleFolder, bundlesFolder } from "../formats/paths.ts";
import type { Source } from "../sources/source.ts";

const isGeneration = (name: string): boolean => /^[0-9]+\.[0-9]+$/u.test(name);

/**
 * The names of all bundles in a source, in rising order. They are told from folders alone: a
 * bundle is what has a folder SERIES.GENERATION, which no segment of a name can look like.
 *
 * @throws Failure `source/unreadable`
 */
export async function listBundles(source: Source): Promise<string[]> {
  const names = await source.list(bundlesFolder);
  const found = await Promise.all(names.map((name) => bundlesBelow(source, name)));
  return found.flat().sort();
}

/** Names are at most 128 bytes long, so that no source can have us go down for ever. */
async function bundlesBelow(source: Source, name: string): Promise<string[]> {
  if (!nameKinds.bundle.is(name)) return [];
  const inside = await source.list(bundleFolder(name));
  const below = await Promise.all(
    inside.map((segment) => bundlesBelow(source, `${name}/${segment}`)),
  );
  return [...(inside.some(isGeneration) ? [name] : []), ...below.flat()];
}
