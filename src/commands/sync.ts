import { resolve } from "node:path";
import { openToMirror, readNode, type Located } from "../cluster/configuration.ts";
import { Failure } from "../failure.ts";
import type { NodeConfiguration } from "../formats/configuration.ts";
import type { Context } from "./context.ts";
import { syncOnce, type SyncReport } from "./sync-pass.ts";

/** What `sync` is asked to do. */
export interface SyncOptions {
  /** Where the mirror is, instead of what the configuration says. */
  readonly mirror: string | undefined;
  /** Goes on until it is told to end. */
  readonly watches: boolean;
}

/**
 * Brings what this node needs of its source into its mirror, and what the node has written for others into
 * the source: once, or again and again.
 *
 * @throws Failure `mirror/none`; what of the source couldn't be judged, after all the rest was done
 */
export async function sync(context: Context, options: SyncOptions): Promise<void> {
  const located = await readNode(context.configuration);
  const mirror = mirrorOf(context, located, options);
  const cluster = await openToMirror(located, mirror, context.now);
  const pass = (asked: readonly string[], now: Date): Promise<SyncReport> =>
    syncOnce(located, mirror, { ...cluster, now }, asked);
  if (options.watches) {
    const { watch } = await import("./sync-watch.ts");
    await watch(context, mirror, cluster.source, pass);
  } else report(context, located, mirror, await pass([], context.now));
}

function mirrorOf(
  context: Context,
  { configuration, path }: Located<NodeConfiguration>,
  { mirror }: SyncOptions,
): string {
  if (mirror !== undefined) return resolve(context.directory, mirror);
  if (configuration.mirror !== undefined) return configuration.mirror;
  throw new Failure("mirror/none", `${path} names no "mirror"`);
}

function report(
  context: Context,
  { configuration: { node } }: Located<NodeConfiguration>,
  mirror: string,
  { pools, bundles, written, failures }: SyncReport,
): void {
  const [first, ...others] = failures;
  for (const { message } of others) context.warn(message);
  for (const path of written) context.print(`carried ${path}`);
  const names = (all: readonly string[]): string => (all.length === 0 ? "(none)" : all.join(", "));
  context.print(
    `${mirror} has what ${node} needs: pools ${names(pools)}; bundles ${names(bundles)}`,
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
