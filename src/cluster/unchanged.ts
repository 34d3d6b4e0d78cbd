import { Failure } from "../failure.ts";
import {
  bundleFolder,
  bundlesFolder,
  poolFolder,
  recordFile,
  rosterFolder,
} from "../formats/paths.ts";
import { maxMembersSize } from "../formats/records/pool.ts";
import type { Revision, Source } from "../sources/source.ts";
import { listBundles } from "./bundles.ts";
import type { Additions } from "./dates.ts";

/** An object that has generations: what it is called, where they lie, which files are signed. */
interface Numbered {
  readonly object: string;
  readonly folder: string;
  readonly files: readonly string[];
}

/**
 * What was rewritten since a revision: a generation that was there then and has other bytes now,
 * and an object whose newest generation is lower than it was. Headers, entries and signatures may
 * change; what they are good for is told by judging them.
 *
 * @throws Failure `source/…`, `git/failed`
 */
export async function checkUnchanged(source: Source, before: Revision): Promise<Additions> {
  const found: Additions = new Map();
  for (const numbered of await numberedIn(before)) {
    const failures = await changesOf(source, before, numbered);
    if (failures.length > 0) found.set(numbered.object, failures);
  }
  return found;
}

async function numberedIn(source: Source): Promise<Numbered[]> {
  const pools = await source.list("pools");
  const bundles = await listBundles(source);
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

async function changesOf(
  source: Source,
  before: Revision,
  { object, folder, files }: Numbered,
): Promise<Failure[]> {
  const [then, now] = await Promise.all([before.list(folder), source.list(folder)]);
  const failures: Failure[] = [];
  const highest = then.filter(isGeneration).sort(compareGenerations).at(-1);
  const newest = now.filter(isGeneration).sort(compareGenerations).at(-1);
  if (highest !== undefined && (newest === undefined || compareGenerations(newest, highest) < 0)) {
    failures.push(
      new Failure(
        "history/rewritten",
        `${object} was at ${shown(highest)} in ${before.name}, and is ${newest === undefined ? "gone" : `at ${shown(newest)}`}`,
      ),
    );
  }
  for (const generation of then.filter((one) => isGeneration(one) && now.includes(one))) {
    for (const file of files) {
      const path = `${folder}/${generation}/${file}`;
      const bytes = await source.read(path, maxMembersSize);
      if (bytes !== undefined && before.had(path, bytes)) continue;
      failures.push(
        new Failure(
          "history/rewritten",
          `${object} ${shown(generation)} has another ${file} than in ${before.name}`,
          folder.startsWith(bundlesFolder)
            ? "if two branches have sealed it, join them: sealaunch seal NAME --merge REV; else restore that file from the revision"
            : "restore that file from the revision, then make the change anew as a higher generation",
        ),
      );
    }
  }
  return failures;
}

const isGeneration = (name: string): boolean => /^(?:[0-9]{1,15}\.)?[0-9]{1,15}$/u.test(name);

const shown = (generation: string): string => generation.replace(/^0\./u, "");

/** Orders `SERIES.GENERATION` and plain `GENERATION`. */
function compareGenerations(a: string, b: string): number {
  const numbers = (text: string): [number, number] => {
    const [first = "0", second] = text.split(".");
    return second === undefined ? [0, Number(first)] : [Number(first), Number(second)];
  };
  const [seriesA, generationA] = numbers(a);
  const [seriesB, generationB] = numbers(b);
  return seriesA - seriesB || generationA - generationB;
}
