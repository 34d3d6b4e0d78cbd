import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { changedBundles } from "../../cluster/mirror/changed-bundles.ts";
import { asFailure, type Failure } from "../../failure.ts";
import { nameKinds } from "../../formats/names.ts";
import { serveSync } from "../../host/sync-socket.ts";
import { syncSocket } from "../../service/delivery.ts";
import type { Source } from "../../sources/source.ts";
import type { Context } from "../context.ts";
import { createFollower } from "./follow.ts";
import type { SyncReport } from "./pass.ts";
import { createTelling } from "./telling.ts";

const everyMs = 60_000;
/** Where the source tells of changes: for what nobody tells of, such as an outbox. */
const rarelyMs = 5 * everyMs;
/** After a pass that found something wrong, twice as long each time up to this. */
const longestBackoffMs = 60_000;
const firstBackoffMs = 1_000;

/** More than this that came during a pass are as good as anything. */
const mostPaths = 10_000;

/** How passes are made. */
export interface Passes {
  whole(asked: readonly string[], now: Date): Promise<SyncReport>;
  /** Of some bundles alone, after a pass that found nothing wrong. */
  of(bundles: readonly string[], before: SyncReport, now: Date): Promise<SyncReport>;
}

/** Somebody who waits for a pass that begins after he asked. */
interface Waiting {
  readonly bundles: readonly string[];
  readonly resolve: (isDone: boolean) => void;
}

/**
 * Passes again and again until this process is told to end: when the source tells of a change, or every
 * minute where it can't, and at once when somebody asks on the socket that systemd hands over. A pass that
 * fails is told once, and tried again sooner.
 */
export async function watch(
  context: Context,
  mirror: string,
  source: Source,
  passes: Passes,
): Promise<void> {
  const ending = new AbortController();
  const waiting: Waiting[] = [];
  let wake = new AbortController();
  const descriptor = context.handedSocket();
  const close =
    descriptor === undefined
      ? undefined
      : serveSync(descriptor, nameKinds.bundle.is, (bundles) => {
          const brought = new Promise<boolean>((resolve) => waiting.push({ bundles, resolve }));
          wake.abort();
          return brought;
        });
  void context.told().then(() => {
    ending.abort();
    wake.abort();
  });
  context.print(`keeps ${mirror}${close === undefined ? "" : `, and answers on ${syncSocket}`}`);
  const telling = createTelling(context);
  // Since the pass that is made, or was last: paths, and whether it may be more than those.
  const heard = { paths: new Array<string>(), isAnything: false };
  const follower = createFollower(
    source,
    (paths) => {
      telling.hears();
      const all = [...heard.paths, ...(paths ?? [])];
      heard.isAnything ||= paths === undefined || all.length > mostPaths;
      heard.paths = heard.isAnything ? [] : all;
      wake.abort();
    },
    (failure) => {
      telling.hearsNothing(source.name, failure);
    },
  );
  let last: SyncReport | undefined;
  let wholeAt = -Infinity;
  for (let failed = 0; !ending.signal.aborted;) {
    wake = new AbortController();
    const asked = waiting.splice(0);
    const isWhole = heard.isAnything || asked.length > 0 || performance.now() - wholeAt > rarelyMs;
    const some = isWhole || last === undefined ? [] : (changedBundles(last, heard.paths) ?? []);
    Object.assign(heard, { paths: [], isAnything: false });
    const before = some.length > 0 ? last : undefined;
    if (before === undefined) wholeAt = performance.now();
    const { report, failures } = await tryPass(() =>
      before === undefined
        ? passes.whole(
            asked.flatMap(({ bundles }) => bundles),
            new Date(),
          )
        : passes.of(some, before, new Date()),
    );
    last = failures.length === 0 ? report : undefined;
    // What couldn't be read of one bundle is told by no change either when it can be again.
    failed = failures.length > 0 ? failed + 1 : 0;
    telling.ended(failures);
    for (const { resolve } of asked) resolve(failures.length === 0);
    if (report !== undefined) follower.follow(report);
    if (waiting.length > 0 || heard.paths.length > 0 || heard.isAnything) continue;
    const backoff = Math.min(firstBackoffMs * 2 ** Math.min(failed, 10), longestBackoffMs);
    // Nodes that began together don't stay together.
    const wait =
      (failed > 0 ? backoff : follower.isTold ? rarelyMs : everyMs) * (randomInt(750, 1250) / 1000);
    await pause(wait, undefined, { signal: wake.signal }).catch(() => undefined);
  }
  close?.();
  follower.end();
}

/** How a pass ended; there is no report if it couldn't go by the source at all. */
async function tryPass(
  pass: () => Promise<SyncReport>,
): Promise<{ readonly report?: SyncReport; readonly failures: readonly Failure[] }> {
  try {
    const report = await pass();
    return { report, failures: report.failures };
  } catch (error) {
    return { failures: [asFailure(error)] };
  }
}
