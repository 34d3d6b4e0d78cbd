import type { Cache } from "../../caches/cache.ts";
import { inParallel } from "../../caches/each.ts";
import { isBegun } from "../../caches/survey.ts";
import { Failure, type FailureCode } from "../../failure.ts";
import {
  publisherRecordKey,
  verifyPublisherRecord,
  type PublisherRecord,
} from "../../formats/publisher-record.ts";
import type { AskedCache, PublisherData } from "../../scan/report/report.ts";
import type { Context } from "../context.ts";
import type { AskedCaches } from "./caches.ts";

/** Records that were verified, by store path, and what is to be told of all. */
export interface FoundRecords {
  readonly records: ReadonlyMap<string, PublisherRecord>;
  readonly data: PublisherData;
}

/**
 * What the caches' publishers say of `paths`: of each path what the first cache has that is signed by one of
 * the keys. A record that isn't counts as none, and is told of. A cache that doesn't answer is unknown: it is
 * warned of, and what it said before counts.
 */
export async function findRecords(
  context: Context,
  paths: readonly string[],
  { caches, keys }: AskedCaches,
): Promise<FoundRecords> {
  const records = new Map<string, PublisherRecord>();
  const refused: { readonly path: string; readonly reason: string }[] = [];
  const asked: AskedCache[] = [];
  for (const cache of caches) {
    const left = paths.filter((path) => !records.has(path));
    using progress = context.progress(`paths asked about in ${cache.name}`, left.length);
    let begun = 0;
    const failure = await askAll(cache, left, async (path) => {
      progress.at(++begun);
      const key = publisherRecordKey(path);
      try {
        const bytes = await cache.get(key);
        if (bytes === undefined) return;
        records.set(path, verifyPublisherRecord(bytes, path, keys, `${cache.name}/${key}`));
      } catch (error) {
        if (!(error instanceof Failure) || !ofRecords.includes(error.code)) throw error;
        refused.push({ path, reason: `${error.message} (${error.code})` });
      }
    });
    const reason = failure === undefined ? undefined : `${failure.message} (${failure.code})`;
    asked.push({ name: cache.name, state: reason === undefined ? "known" : "unknown", reason });
    if (reason !== undefined)
      context.warn(`not all that publishers say in ${cache.name} is known: ${reason}`);
  }
  refused.sort((one, other) => (one.path < other.path ? -1 : 1));
  return {
    records,
    data: { caches: asked, asked: paths.length, recorded: records.size, refused },
  };
}

/** What is wrong with one record, and not with the cache. */
const ofRecords: readonly FailureCode[] = [
  "cache/invalid",
  "signature/invalid",
  "signature/unknown-signer",
];

/** Why not all could be asked; undefined if it could. */
async function askAll(
  cache: Cache,
  paths: readonly string[],
  ask: (path: string) => Promise<void>,
): Promise<Failure | undefined> {
  try {
    // A server answers 404 to everything at an address where no cache is.
    if (!(await isBegun(cache)))
      return new Failure("cache/invalid", `${cache.name} has no nix-cache-info: it is no cache`);
    await inParallel(cache.width, paths, ask);
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}
