import { Failure } from "../failure.ts";
import { nameKinds } from "../formats/names.ts";
import { bundlesFolder, headersFolder } from "../formats/paths.ts";
import type { Source } from "../sources/source.ts";

/** An epoch of a pool. */
export interface PoolEpoch {
  readonly pool: string;
  readonly epoch: number;
}

const isGeneration = (name: string): boolean => /^[0-9]+\.[0-9]+$/u.test(name);

/**
 * The names of all bundles in a source, in rising order. They are told from folders alone: a
 * bundle is what has a folder SERIES.GENERATION, which no segment of a name can look like.
 *
 * @throws Failure `source/unreadable`
 */
export async function listBundles(source: Source): Promise<string[]> {
  return (await namesBelow(source, bundlesFolder, isGeneration)).sort();
}

/** Whether a name is that of a payload. */
export const isHash = (name: string): boolean => /^[0-9a-f]{64}$/u.test(name);

/**
 * The names of the bundles that have headers for one of those epochs, in rising order, whatever other
 * bundles there are: only of these can who opens just those epochs have a file key.
 *
 * @throws Failure `source/unreadable`; `source/hostile` if an epoch has headers under more names than there
 *   are bundles
 */
export async function listBundlesWithHeaders(
  source: Source,
  epochs: readonly PoolEpoch[],
): Promise<string[]> {
  const found = await Promise.all(
    epochs.map(async ({ pool, epoch }) => {
      const folder = headersFolder(pool, epoch);
      return (await namesOfHeaders(source, folder)) ?? namesBelow(source, folder, isHash);
    }),
  );
  return [...new Set(found.flat())].sort();
}

/** Several times what a cluster has; with names of 128 bytes they are some 10 MB of memory. */
const mostNames = 50_000;

/** What {@link namesBelow} tells of headers, whatever folders a member has put there; undefined as {@link tellNames}. */
async function namesOfHeaders(source: Source, folder: string): Promise<string[] | undefined> {
  const names = new Set<string>();
  const isTold = await tellNames(source, folder, isHash, (name) => {
    names.add(name);
    if (names.size <= mostNames) return;
    throw new Failure(
      "source/hostile",
      `${source.name} has headers for over ${String(mostNames)} bundles in ${folder}`,
    );
  });
  return isTold ? [...names] : undefined;
}

/**
 * Those of some bundles that a source has, by one look at all that it has; undefined if it can't tell that
 * in one.
 *
 * @throws Failure `source/…`
 */
export async function presentBundles(
  source: Source,
  wanted: readonly string[],
): Promise<ReadonlySet<string> | undefined> {
  const present = new Set<string>();
  const isWanted = new Set(wanted);
  const isTold = await tellNames(source, bundlesFolder, isGeneration, (name) => {
    if (isWanted.has(name)) present.add(name);
  });
  return isTold ? present : undefined;
}

/**
 * Tells the names that {@link namesBelow} gives, in no order and more than once, by one look at all that is
 * below the folder.
 *
 * @returns false if the source can't be looked at so, and nothing was told
 */
async function tellNames(
  source: Source,
  folder: string,
  isInside: (segment: string) => boolean,
  tell: (name: string) => void,
): Promise<boolean> {
  const looked = await source.changedSince?.(folder, undefined, (path) => {
    const segments = path.slice(folder.length + 1).split("/");
    const name = segments.slice(0, Math.max(0, segments.findIndex(isInside))).join("/");
    if (nameKinds.bundle.is(name)) tell(name);
    return false;
  });
  return looked !== undefined;
}

/**
 * The names of bundles whose folders within `folder` hold what a name's segment can't look like. Names are
 * at most 128 bytes long, so that no source can have us go down for ever.
 */
async function namesBelow(
  source: Source,
  folder: string,
  isInside: (segment: string) => boolean,
): Promise<string[]> {
  const below = async (name: string): Promise<string[]> => {
    if (!nameKinds.bundle.is(name)) return [];
    const inside = await source.list(`${folder}/${name}`);
    const found = await Promise.all(inside.map((segment) => below(`${name}/${segment}`)));
    return [...(inside.some(isInside) ? [name] : []), ...found.flat()];
  };
  return (await Promise.all((await source.list(folder)).map(below))).flat();
}
