import { join, resolve } from "node:path";
import { openToMirror, readNode, syncState } from "../cluster/configuration.ts";
import { openOutbox } from "../cluster/node-source.ts";
import type { Located } from "../cluster/configuration.ts";
import { carryOutbox } from "../cluster/outbox.ts";
import { mirrorNode } from "../cluster/mirroring.ts";
import { knownRecipients } from "../cluster/own-recipients.ts";
import { Failure } from "../failure.ts";
import type { NodeConfiguration } from "../formats/configuration.ts";
import { formatTime } from "../formats/fields.ts";
import { encodeSynced, syncedPath } from "../formats/synced.ts";
import { makeDirectory } from "../host/files.ts";
import { beginPass } from "../sources/mirror-writing.ts";
import type { Context } from "./context.ts";

/** What one pass did. */
export interface SyncReport {
  readonly pools: readonly string[];
  readonly bundles: readonly string[];
  /** What of the outbox was written into the source. */
  readonly written: readonly string[];
  /** What the mirror couldn't take, and keeps as it was. */
  readonly failures: readonly Failure[];
}

/** What `sync` is asked to do. */
export interface SyncOptions {
  /** Where the mirror is, instead of what the configuration says. */
  readonly mirror: string | undefined;
}

/** Where this node keeps its mirror. @throws Failure `mirror/none` */
function requireMirror(
  context: Context,
  { configuration, path }: Located<NodeConfiguration>,
  { mirror }: SyncOptions,
): string {
  if (mirror !== undefined) return resolve(context.directory, mirror);
  if (configuration.mirror !== undefined) return configuration.mirror;
  throw new Failure("mirror/none", `${path} names no "mirror"`);
}

/**
 * One pass: carries the outbox to the source, then brings what this node needs into the mirror.
 *
 * @param asked - bundles that somebody waits for
 * @throws Failure all that reading the roster refuses, and then the mirror is as it was; `card/absent`
 */
async function pass(
  located: Located<NodeConfiguration>,
  mirror: string,
  asked: readonly string[],
  now: Date,
): Promise<SyncReport> {
  const { cluster: id } = located.configuration;
  await makeDirectory(mirror, 0o755);
  const cluster = await openToMirror(located, mirror, now);
  const outbox = await openOutbox(located.configuration);
  const carried = await carryOutbox(outbox, cluster.source, join(syncState(mirror), "carried"));
  const recipients = await knownRecipients(located, cluster.source);
  const writing = beginPass(mirror);
  const mirrored = await mirrorNode(cluster, recipients, asked, writing);
  const synced = {
    version: 1,
    cluster: id,
    at: formatTime(now),
    source: cluster.source.name,
  } as const;
  await writing.put(syncedPath, encodeSynced(synced));
  await writing.finish();
  return {
    ...mirrored,
    written: carried.written,
    failures: [...carried.failures, ...mirrored.failures],
  };
}

/**
 * Brings what this node needs of its source into its mirror, once, and what the node has written for
 * others into the source.
 *
 * @throws Failure `mirror/none`; what of the source couldn't be judged, after all the rest was done
 */
export async function sync(context: Context, options: SyncOptions): Promise<void> {
  const located = await readNode(context.configuration);
  const mirror = requireMirror(context, located, options);
  const { pools, bundles, written, failures } = await pass(located, mirror, [], context.now);
  const [first, ...others] = failures;
  for (const { message } of others) context.warn(message);
  for (const path of written) context.print(`carried ${path}`);
  context.print(
    `${mirror} has what ${located.configuration.node} needs: pools ${pools.join(", ") || "(none)"}; bundles ${bundles.join(", ") || "(none)"}`,
  );
  context.result({
    mirror,
    pools,
    bundles,
    written,
    failures: failures.map(({ code, message }) => ({ code, message })),
  });
  if (first !== undefined) throw first;
}
