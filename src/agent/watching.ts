import { setTimeout as pause } from "node:timers/promises";
import { readSynced } from "../cluster/mirror/age.ts";
import { openNodeSource } from "../cluster/node-source.ts";
import { asFailure } from "../failure.ts";
import { createChanges } from "./changes.ts";
import { settleRefreshes } from "./refresh.ts";
import type { Served } from "./renewal.ts";
import { reportNode } from "./reporting.ts";
import type { Means } from "./start.ts";
import type { Starts } from "./starts.ts";

const everyMs = 5_000;
/** Where no sync says that it has read the source. */
const withoutMirrorMs = 30_000;

/**
 * Looks every few seconds, until it is told to end, what has become of running services and of what is
 * newer for them: restarts and reloads those that ask for it, and reports what all of them run on.
 *
 * @param warn - is told once what keeps it from doing so
 */
export async function watchServices(
  means: Means,
  starts: Pick<Starts, "refusals"> & Served,
  warn: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const changes = createChanges(means, starts);
  let told = "";
  let synced: string | undefined = "";
  let looked = 0;
  // What an agent before this one has left.
  let interrupted: ReadonlySet<string> | undefined;
  const step = async (now: Date): Promise<void> => {
    const node = await means.node();
    const { configuration } = node;
    const failed = await settleRefreshes(starts);
    interrupted ??= failed;
    const before = synced;
    synced = (await readSynced(await openNodeSource(node), configuration))?.at;
    const isDue =
      configuration.mirror === undefined
        ? now.getTime() - looked >= withoutMirrorMs
        : synced !== before;
    if (isDue || changes.isWaiting) {
      looked = now.getTime();
      await changes.look(now, interrupted);
      interrupted = none;
    }
    await reportNode(node, { starts: starts.refusals, restarts: changes.objections }, now);
  };
  while (await isGoingOn(signal)) {
    try {
      await step(new Date());
      told = "";
    } catch (error) {
      const { code, message, hint } = asFailure(error);
      const line = `${code}: ${message}; ${hint}`;
      if (line !== told) warn(line);
      told = line;
    }
  }
}

const none: ReadonlySet<string> = new Set();

async function isGoingOn(signal: AbortSignal): Promise<boolean> {
  await pause(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
  return !signal.aborted;
}
