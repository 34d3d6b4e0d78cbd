import { setTimeout as pause } from "node:timers/promises";
import type { Cache } from "../../caches/cache.ts";
import { inParallel } from "../../host/in-parallel.ts";
import { isBegun } from "../../caches/survey.ts";
import { Failure, type FailureCode } from "../../failure.ts";
import { publisherRecordKey, type PublisherRecord } from "../../formats/publisher-record.ts";
import { verifyPublisherRecord } from "../../formats/publisher-record-verifying.ts";
import type { AskedCache, PublisherData } from "../../scan/report/report.ts";
import type { Context } from "../context.ts";
import { openKeptRecords } from "./kept-records.ts";
import type { AskedCaches } from "./caches.ts";

/** Records that were verified, by store path, and what is to be told of all. */
export interface FoundRecords {
  readonly records: ReadonlyMap<string, PublisherRecord>;
  readonly data: PublisherData;
}

/**
 * What the caches' publishers say of `paths`: of each path what the first cache has that is signed by one of
 * the keys, each asked for once. What was fetched within a week is taken as it is kept here. A record that
 * isn't signed so counts as none, and is told of. A cache that doesn't answer is unknown: it is warned of, and
 * what it said before counts, however long ago.
 */
export async function findRecords(
  context: Context,
  paths: readonly string[],
  { caches, keys }: AskedCaches,
): Promise<FoundRecords> {
  const records = new Map<string, PublisherRecord>();
  const old = new Map<string, PublisherRecord>();
  const refused: { readonly path: string; readonly reason: string }[] = [];
  const asked: AskedCache[] = [];
  const kept = openKeptRecords(context.environment, context.now);
  for (const path of caches.length === 0 ? [] : paths) {
    const found = kept.read(path);
    if (found === undefined) continue;
    const record = await judged(() => verifyPublisherRecord(found.bytes, path, keys, path));
    // What isn't signed by one of these keys may have been fetched for others.
    if (!(record instanceof Failure)) (found.isNew ? records : old).set(path, record);
  }
  for (const cache of caches) {
    const left = paths.filter((path) => !records.has(path));
    using progress = context.progress(`paths asked about in ${cache.name}`, left.length);
    let begun = 0;
    const failure = await askAll(cache, left, async (path) => {
      progress.at(++begun);
      const key = publisherRecordKey(path);
      const what = `${cache.name}/${key}`;
      const record = await judged(async () => {
        const bytes = await inTime(cache.get(key), what);
        const verified = bytes && verifyPublisherRecord(bytes, path, keys, what);
        if (bytes !== undefined) kept.keep(path, bytes);
        return verified;
      });
      if (record instanceof Failure)
        refused.push({ path, reason: `${record.message} (${record.code})` });
      else if (record !== undefined) records.set(path, record);
    });
    const reason = failure === undefined ? undefined : `${failure.message} (${failure.code})`;
    asked.push({ name: cache.name, state: reason === undefined ? "known" : "unknown", reason });
    if (reason !== undefined)
      context.warn(`not all that publishers say in ${cache.name} is known: ${reason}`);
  }
  if (asked.some(({ state }) => state === "unknown"))
    for (const [path, record] of old) if (!records.has(path)) records.set(path, record);
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

/** The record, or why it counts as none. */
async function judged<T>(verify: () => T | Promise<T>): Promise<T | Failure> {
  try {
    return await verify();
  } catch (error) {
    if (error instanceof Failure && ofRecords.includes(error.code)) return error;
    throw error;
  }
}

/** So long one answer may take, with all that is sent again: then nothing more is asked there. */
const answerMs = 15_000;

/** What was asked for, if it comes in time. @throws Failure `cache/unreachable` */
async function inTime<T>(asked: Promise<T>, what: string): Promise<T> {
  const over = new AbortController();
  const late = pause(answerMs, undefined, { signal: over.signal }).then(() => {
    throw new Failure(
      "cache/unreachable",
      `${what}: no answer within ${String(answerMs / 1000)} s`,
    );
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    over.abort();
    late.catch(() => undefined);
    asked.catch(() => undefined);
  }
}

/** Why not all could be asked; undefined if it could. */
async function askAll(
  cache: Cache,
  paths: readonly string[],
  ask: (path: string) => Promise<void>,
): Promise<Failure | undefined> {
  if (paths.length === 0) return undefined;
  try {
    // A server answers 404 to everything at an address where no cache is.
    if (!(await inTime(isBegun(cache), cache.name)))
      return new Failure("cache/invalid", `${cache.name} has no nix-cache-info: it is no cache`);
    await inParallel(cache.width, paths, ask);
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}
