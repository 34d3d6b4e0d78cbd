import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../failure.ts";
import type { Members } from "./etcd.ts";
import { faultOf } from "./etcd-failure.ts";
import type { Keys } from "./etcd-keys.ts";
import { gatherChanges, type Gathering } from "./etcd-changes.ts";
import { openStream, type Position } from "./etcd-stream.ts";
import type { Change } from "./source.ts";

const shortestPauseMs = 100;
const longestPauseMs = 30_000;
/** How often it is asked whether the member that is listened to still hears what is new. */
const askEveryMs = 10_000;

/**
 * What changes below those folders, until `signal` ends it. A member that is lost is left for another,
 * from where it was; where etcd has forgotten what was since, or is another cluster, it says `anything`.
 */
export async function* watchFolders(
  members: Members,
  keys: Keys,
  folders: readonly string[],
  ending: AbortSignal,
): AsyncGenerator<Change> {
  const left = new AbortController();
  const signal = AbortSignal.any([ending, left.signal]);
  const changes = gatherChanges(signal);
  void listen(members, keys, folders, signal, changes);
  try {
    for (;;) {
      const change = await changes.next();
      if (change === undefined) return;
      yield change;
    }
  } finally {
    left.abort();
  }
}

async function listen(
  members: Members,
  keys: Keys,
  folders: readonly string[],
  signal: AbortSignal,
  changes: Gathering,
): Promise<void> {
  let position: Position | undefined;
  for (let tries = 0; !signal.aborted; tries++) {
    try {
      const connected = await connect(members, keys, folders, signal, changes, position);
      tries = 0;
      position = await connected.ended;
    } catch (error) {
      const failure =
        error instanceof Failure
          ? error
          : faultOf(error, members.settings, members.settings.endpoints.join(", "), "watch");
      if (failure instanceof Failure) changes.lost(failure);
    }
    // All who lost the same member come back at different times.
    const most = Math.min(longestPauseMs, shortestPauseMs * 2 ** Math.min(tries, 16));
    await delay(shortestPauseMs + randomInt(most), undefined, { signal }).catch(() => undefined);
  }
}

/** What etcd's newest state is, and who said so. */
async function newest(members: Members, keys: Keys) {
  return members.ask("watch", async ({ client, options }) => {
    const { key, range_end } = keys.below("roster");
    const { header } = await client.kv.range(
      { key, range_end, limit: 1, keys_only: true },
      options,
    );
    return { client, cluster: header.cluster_id, revision: BigInt(header.revision) };
  });
}

async function connect(
  members: Members,
  keys: Keys,
  folders: readonly string[],
  signal: AbortSignal,
  changes: Gathering,
  position: Position | undefined,
): Promise<{ readonly ended: Promise<Position | undefined> }> {
  const { client, cluster, revision } = await newest(members, keys);
  const isSame = position?.cluster === cluster && position.seen.every((seen) => seen <= revision);
  const from = isSame ? position : { cluster, seen: folders.map(() => revision) };
  const stream = await openStream(client, keys, folders, from, changes, members.settings);
  if (!isSame) changes.anything();
  const stop = (): void => {
    stream.close();
  };
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  const question = setInterval(() => {
    void (async () => {
      try {
        const now = await newest(members, keys);
        if (!(await stream.hears(now.revision))) throw new Error("it is cut off from the others");
      } catch {
        members.avoid(client);
        stream.close();
      }
    })();
  }, askEveryMs);
  const ended = stream.ended.finally(() => {
    clearInterval(question);
    signal.removeEventListener("abort", stop);
  });
  return { ended };
}
