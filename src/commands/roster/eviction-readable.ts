import { requirePool, type Cluster } from "../../cluster/cluster.ts";
import { readableBy, type Readable } from "../../cluster/readable.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import type { Context } from "../context.ts";
import type { Eviction } from "./eviction.ts";

/** Prints what a node could read that goes, and what ends that: new values, then a minimum. */
export function showReadable(context: Context, node: string, { bundles, gaps }: Readable): void {
  const lines = (pairs: readonly (readonly [string, readonly string[]])[]): void => {
    for (const [what, credentials] of pairs) {
      for (const credential of credentials) context.print(`  ${what} ${credential}`);
    }
  };
  const newest = bundles.filter(({ credentials }) => credentials.length > 0);
  if (newest.length > 0) {
    context.print(`${node} could read, so that each has to be replaced:`);
    lines(newest.map(({ bundle, credentials }) => [bundle, credentials]));
  }
  const earlier = bundles.flatMap(({ bundle, earlier }) =>
    earlier.map(
      ({ generation, credentials }) => [`${bundle} ${String(generation)}`, credentials] as const,
    ),
  );
  if (earlier.length > 0) {
    context.print(
      `${node} could read, in earlier generations, with which units still start that have them pinned in the store:`,
    );
    lines(earlier);
  }
  for (const gap of gaps) context.print(`not known: ${gap}`);
  for (const { bundle, credentials, minimum } of bundles) {
    const replace =
      credentials.length === 0 ? "" : `sealaunch seal ${bundle} ${credentials.join(" ")} && `;
    context.print(`to end it: ${replace}sealaunch roster set-minimum ${bundle} ${String(minimum)}`);
  }
}

/**
 * What the node could read: before anything is done, all for its pools; then what is owed.
 *
 * @throws Failure all that reading the pools and bundles refuses
 */
export async function readReadable(
  context: Context,
  cluster: Cluster,
  roster: VerifiedRoster,
  evictions: readonly Eviction[],
  isBefore: boolean,
): Promise<Readable> {
  const pools = await Promise.all(evictions.map(({ pool }) => requirePool(cluster, roster, pool)));
  const current = evictions
    .filter(({ isMember, isDestroyed }) => isBefore && isMember && !isDestroyed)
    .map(({ pool }) => pool);
  return readableBy(cluster, roster, pools, current, context.each);
}
