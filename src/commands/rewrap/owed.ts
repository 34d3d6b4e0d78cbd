import { readStatement, type Cluster } from "../../cluster/cluster.ts";
import type { OpenedPool } from "../../cluster/entries.ts";
import { expectedEntries } from "../../cluster/owed.ts";
import { owedHeaders } from "../../cluster/rewrapping.ts";
import { Failure } from "../../failure.ts";
import { sealEntry } from "../../formats/entry.ts";
import type { VerifiedPool } from "../../trust/pool.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import type { Context } from "../context.ts";
import { reportNext, reportWritten } from "../report.ts";

/** Something that is owed: what, where, and its bytes if they can be made here. */
export interface Owed {
  readonly what: string;
  readonly pool: string;
  readonly path: string;
  readonly bytes: Uint8Array | undefined;
}

/** The entries that pools are owed; with `all` also those that are there. @throws Failure `members/…` */
export async function owedEntriesOf(
  cluster: Cluster,
  roster: VerifiedRoster,
  pools: readonly VerifiedPool[],
  opened: readonly OpenedPool[],
  all: boolean,
): Promise<Owed[]> {
  const expected = await Promise.all(pools.map((pool) => expectedEntries(cluster, roster, pool)));
  return expected.flat().flatMap(({ who, recipient, pool, epoch, path, owed }) => {
    const held = opened.find((one) => one.pool === pool && one.epoch === epoch);
    if (!owed && !(all && held !== undefined)) return [];
    const what = `entry of ${who} in pool ${pool}, epoch ${String(epoch)}`;
    return [{ what, pool, path, bytes: held && sealEntry(held.identity, recipient) }];
  });
}

/** What {@link owedHeadersOf} goes by. */
interface Needs {
  readonly bundles: readonly string[];
  readonly pools: readonly VerifiedPool[];
  readonly opened: readonly OpenedPool[];
  /** Whether those that are there are owed too. */
  readonly all: boolean;
}

/** The headers that bundles are owed, and why some bundles can't be judged. */
export async function owedHeadersOf(
  context: Context,
  cluster: Cluster,
  roster: VerifiedRoster,
  { bundles, pools, opened, all }: Needs,
): Promise<{ readonly headers: readonly Owed[]; readonly failures: readonly Failure[] }> {
  const headers: Owed[] = [];
  const failures: Failure[] = [];
  await context.each("bundle", bundles, async (bundle) => {
    try {
      const statement = (await readStatement(cluster, roster, bundle))?.record;
      if (statement === undefined) return;
      const inAudience = ({ pool }: { readonly pool: string }): boolean =>
        statement.audience.includes(pool);
      const owed = await owedHeaders(cluster.source, {
        statement,
        pools: pools.filter(inAudience),
        opened: opened.filter(inAudience),
        all,
      });
      headers.push(...owed.map(({ header, ...rest }) => ({ ...rest, bytes: header })));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures.push(error);
    }
  });
  return { headers, failures };
}

/** Writes what can be made here, and says what can't. @throws Failure `write/refused` */
export async function settle(
  context: Context,
  { source }: Cluster,
  owed: readonly Owed[],
  dryRun: boolean,
): Promise<void> {
  const able = owed.flatMap(({ bytes, ...rest }) =>
    bytes === undefined ? [] : [{ bytes, ...rest }],
  );
  const unable = owed.filter(({ bytes }) => bytes === undefined);
  for (const { what, path, bytes } of able) {
    context.print(`${dryRun ? "would write" : "writing"} the ${what}`);
    if (dryRun) continue;
    await source.write(path, bytes);
    reportWritten(context, [source.place(path)]);
  }
  for (const { what } of unable)
    context.warn(`nothing that this identity opens gives the ${what}: try another, or seal anew`);
  if (owed.length === 0) context.print("nothing is owed");
  const next = dryRun ? "sealaunch rewrap --identity FILE" : "sealaunch verify";
  if (able.length > 0) reportNext(context, next);
  context.result({
    written: dryRun ? [] : able.map(({ path }) => path),
    owed: (dryRun ? owed : unable).map(({ what, path }) => ({ what, path })),
  });
}
