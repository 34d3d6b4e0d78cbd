import { bundleFolder, poolFolder, recordFile, rosterFolder } from "../../formats/paths.ts";
import type { Source } from "../../sources/source.ts";
import { compareMarks } from "../../trust/marks.ts";
import { listBundles } from "../bundles.ts";

/** An object that has generations: what it is called, where they lie, which files are signed. */
export interface Numbered {
  readonly object: string;
  readonly folder: string;
  readonly files: readonly string[];
}

/**
 * The objects of a source that have generations.
 *
 * @param only - the bundles that are meant, beside the roster; all bundles and pools if undefined
 * @throws Failure `source/…`
 */
export async function numberedIn(source: Source, only?: readonly string[]): Promise<Numbered[]> {
  const pools = only === undefined ? await source.list("pools") : [];
  const bundles = only ?? (await listBundles(source));
  return [
    { object: "roster", folder: rosterFolder, files: [recordFile.roster] },
    ...pools.map((pool) => ({
      object: `pool ${pool}`,
      folder: poolFolder(pool),
      files: [recordFile.pool, recordFile.members],
    })),
    ...bundles.map((bundle) => ({
      object: `bundle ${bundle}`,
      folder: bundleFolder(bundle),
      files: [recordFile.statement],
    })),
  ];
}

/** A number that names a folder of an object; the series is 0 where there is none. */
export interface Place {
  readonly series: number;
  readonly generation: number;
}

/** The generations in `folder`, the lowest first; `name` is that of the folder. @throws Failure `source/…` */
export async function placesIn(
  source: Source,
  folder: string,
): Promise<(Place & { readonly name: string })[]> {
  const names = (await source.list(folder)).filter((name) => pattern.test(name));
  return names.map((name) => ({ name, ...parsePlace(name) })).sort(compareMarks);
}

const pattern = /^(?:[0-9]{1,15}\.)?[0-9]{1,15}$/u;

/** Of `SERIES.GENERATION` or plain `GENERATION`. */
function parsePlace(name: string): Place {
  const [first = "0", second] = name.split(".");
  return second === undefined
    ? { series: 0, generation: Number(first) }
    : { series: Number(first), generation: Number(second) };
}
