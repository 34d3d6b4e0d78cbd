import { join } from "node:path";
import { missingBesides, putBesides } from "../../caches/besides.ts";
import { putArchives } from "../../caches/filling.ts";
import { putNarInfos, requireWhole } from "../../caches/narinfos.ts";
import { begin, isBegun, survey } from "../../caches/survey.ts";
import { signNarInfo } from "../../formats/nar-info.ts";
import { readClosure } from "../../host/nix/closure.ts";
import type { Context } from "../context.ts";
import { choosePublishing, findStorePaths, type PublishFlags } from "./choice.ts";

import { readFacts, signRecords, writeSbom } from "./records.ts";
import { describeCount, reportMissing, reportPublished } from "./report.ts";

/** What `publish` is asked. */
export interface PublishOptions extends PublishFlags {
  /** The root of the store, if it isn't this machine's. */
  readonly store?: string | undefined;
  /** The file that is to say what the closure is made of. */
  readonly sbom?: string | undefined;
  /** Only says what is missing. */
  readonly dryRun: boolean;
}

const mebibyte = 1024 * 1024;

/**
 * After it, a binary cache has the closures of `paths`, signed, and was seen to have them. Stopped
 * anywhere, the cache is whole as far as it says, and the next run goes on.
 *
 * @returns whether it is all there, which it may not be where it was only looked for
 * @throws Failure `cache/…`, `store/…`, `cache-key/invalid`, `closure/not-in-store`
 */
export async function publish(
  context: Context,
  paths: readonly string[],
  options: PublishOptions,
): Promise<boolean> {
  if (options.to?.startsWith("ssh:") === true)
    return publishToMachine(context, options.to, paths, options);
  const { cache, keys, upstreams } = await choosePublishing(context, options);
  await using chosen = await findStorePaths(context, paths, options.store);
  const [closure, isThere] = await Promise.all([
    readClosure(chosen.storePaths, options.store),
    isBegun(cache),
  ]);
  const found = await survey(cache, closure, keys, upstreams);
  for (const { storePath } of found.different)
    context.warn(`${storePath} was published with other content, which stays as it is`);
  const placeOf = (storePath: string): string => join(options.store ?? "/", storePath);
  const left = new Set([...found.elsewhere, ...found.different]);
  const whole = closure.filter((path) => !left.has(path));
  // What was published before there were records, or from where its derivation wasn't.
  const missing = new Set(found.missing);
  const before = readFacts(
    whole.filter((path) => !missing.has(path)),
    placeOf,
  );
  const unrecorded = await missingBesides(cache, signRecords(before, keys));
  if (options.dryRun) {
    await reportMissing(context, found, unrecorded.size);
    return found.missing.length === 0;
  }
  if (!isThere) await begin(cache);

  const size = found.missing.reduce((sum, { narSize }) => sum + narSize, 0);
  using progress = context.progress("packed and sent, MiB", Math.ceil(size / mebibyte));
  let done = 0;
  const filled = await putArchives(cache, found.missing, keys, placeOf, (bytes) => {
    done += bytes;
    progress.at(Math.ceil(done / mebibyte));
  });
  const facts = readFacts(found.missing, placeOf);
  await putBesides(cache, new Map([...signRecords(facts, keys), ...unrecorded]));
  const again = found.unsigned.map((info) => signNarInfo(info, keys));
  const written = [...filled.narInfos, ...again];
  await putNarInfos(cache, written);
  // Where no narinfo was written the cache has just been asked for all of it; nothing has kept the records yet.
  if (written.length > 0) await requireWhole(cache, whole);
  else if (unrecorded.size > 0) await cache.settle();
  if (options.sbom !== undefined) await writeSbom(context, options.sbom, closure, placeOf);
  context.result({
    cache: cache.name,
    paths: closure.length,
    published: found.missing.map(({ storePath }) => storePath).sort(),
    signed: again.map(({ storePath }) => storePath).sort(),
    elsewhere: found.elsewhere.length,
    different: found.different.map(({ storePath }) => storePath).sort(),
    recorded: facts.size + unrecorded.size,
    sentBytes: filled.sentBytes,
    presentBytes: filled.presentBytes,
  });
  reportPublished(context, cache.name, closure, found, filled.sentBytes, unrecorded.size);
  return true;
}

async function publishToMachine(
  context: Context,
  address: string,
  paths: readonly string[],
  options: PublishOptions,
): Promise<boolean> {
  const { publishOverSsh } = await import("./over-ssh.ts");
  await using chosen = await findStorePaths(context, paths, options.store);
  const closure = await readClosure(chosen.storePaths, options.store);
  const { host, missing } = await publishOverSsh(context, address, closure, {
    storePaths: chosen.storePaths,
    root: options.store,
    isDryRun: options.dryRun,
  });
  if (options.dryRun) {
    await reportMissing(context, { missing, unsigned: [], elsewhere: [], different: [] }, 0);
    return missing.length === 0;
  }
  if (options.sbom !== undefined)
    await writeSbom(context, options.sbom, closure, (path) => join(options.store ?? "/", path));
  const copied = missing.map(({ storePath }) => storePath).sort();
  context.result({ host, paths: closure.length, published: copied });
  context.print(
    copied.length === 0
      ? `nothing to do: ${host} has ${describeCount(closure.length)}`
      : `published ${describeCount(copied.length)} to ${host}`,
  );
  return true;
}
