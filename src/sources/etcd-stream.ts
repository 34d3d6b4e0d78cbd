import { Failure } from "../failure.ts";
import type { Client, Heard } from "./etcd.ts";
import type { Gathering } from "./etcd-changes.ts";
import { faultOf } from "./etcd-failure.ts";
import type { Keys } from "./etcd-keys.ts";
import type { EtcdSettings } from "./etcd-settings.ts";

/** Up to where changes were told, by folder, in one cluster. */
export interface Position {
  readonly cluster: string;
  readonly seen: readonly bigint[];
}

/** One member that tells of changes. */
export interface Stream {
  /** When it tells no more: from where another goes on; undefined where etcd has forgotten that. */
  readonly ended: Promise<Position | undefined>;
  /** Whether the member has reached that revision too, within some seconds. */
  hears(revision: bigint): Promise<boolean>;
  close(): void;
}

const answersWithinMs = 5_000;
const isProgress = (response: Heard): boolean => response.watch_id === "-1";

/**
 * A member that tells of what comes after `from` below those folders; it does so when this returns.
 *
 * @throws Failure `source/forbidden`, `source/timeout`; gRPC's error
 */
export async function openStream(
  client: Client,
  keys: Keys,
  folders: readonly string[],
  from: Position,
  changes: Gathering,
  settings: EtcdSettings,
): Promise<Stream> {
  // etcd3's own watcher throws where nothing can catch it when it is told what it doesn't expect.
  const stream = await client.watchClient.watch();
  const seen = [...from.seen];
  const state = { isForgotten: false };
  let missing = folders.length;
  let progress: ((revision: bigint) => void) | undefined;
  const ready = Promise.withResolvers<undefined>();
  const ended = Promise.withResolvers<Position | undefined>();
  const end = (error?: unknown): void => {
    stream.cancel();
    ready.reject(error);
    ended.resolve(state.isForgotten ? undefined : { cluster: from.cluster, seen });
  };
  ready.promise.catch(() => undefined);
  stream.on("error", end);
  stream.on("end", end);
  stream.on("data", (response) => {
    const revision = BigInt(response.header.revision);
    if (isProgress(response) && !response.canceled) {
      progress?.(revision);
      return;
    }
    const index = Number(response.watch_id) - 1;
    if (response.canceled) {
      state.isForgotten = response.compact_revision !== "0";
      const reason = state.isForgotten ? "forgotten" : response.cancel_reason;
      const what = `watch ${folders[index] ?? folders.join(", ")}`;
      const fault = faultOf(new Error(reason), settings, "", what);
      end(fault instanceof Failure ? fault : new Error(fault.what));
      return;
    }
    if (response.created && --missing === 0) ready.resolve(undefined);
    for (const { kv } of response.events) changes.object(keys.path(kv.key));
    // A revision that comes in parts has been told with the last of them.
    if (!response.created && !response.fragment) seen[index] = revision;
  });
  for (const [index, folder] of folders.entries()) {
    stream.write({
      create_request: {
        ...keys.below(folder),
        watch_id: index + 1,
        start_revision: String((seen[index] ?? 0n) + 1n),
        progress_notify: true,
        fragment: true,
      },
    });
  }
  const late = setTimeout(() => {
    const message = `etcd:${settings.file} doesn't begin to tell of changes`;
    end(new Failure("source/timeout", message));
  }, answersWithinMs);
  try {
    await ready.promise;
  } catch (error) {
    // What etcd has forgotten is no failure: it is told from now on, and that something is missing.
    if (!state.isForgotten) throw error;
  } finally {
    clearTimeout(late);
  }
  return {
    ended: ended.promise,
    close: end,
    hears: (revision) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, answersWithinMs, false);
        progress = (reached) => {
          clearTimeout(timer);
          resolve(reached >= revision);
        };
        stream.write({ progress_request: {} });
      }),
  };
}
