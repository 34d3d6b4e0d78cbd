import { listBundles } from "../cluster/bundles.ts";
import { readPool, readRoster, readStatement, type Cluster } from "../cluster/cluster.ts";
import { openPool, wipePools, type OpenedPool } from "../cluster/entries.ts";
import { expectedEntries } from "../cluster/owed.ts";
import { owedHeaders } from "../cluster/rewrapping.ts";
import { wipe } from "../crypto/bytes.ts";
import { recipientId, type Recipient } from "../crypto/recipient.ts";
import { Failure } from "../failure.ts";
import { sealEntry } from "../formats/entry.ts";
import { requireFresh } from "../trust/freshness.ts";
import type { VerifiedPool } from "../trust/pool.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import type { Context } from "./context.ts";
import { identityFrom } from "./open.ts";
import { reportNext, reportWritten } from "./report.ts";
import { openHere } from "./repository.ts";

/** Whose identity rewraps, and how much. */
export interface RewrapOptions {
  readonly identity: string;
  /** Says what is owed, and writes nothing. */
  readonly dryRun: boolean;
  /** Writes everything anew that the identity can, also what is there. */
  readonly all: boolean;
}

/** Something that is owed: what, where, and its bytes if they can be made here. */
interface Owed {
  readonly what: string;
  readonly path: string;
  readonly bytes: Uint8Array | undefined;
}

/** Writes the entries and headers that are owed, as far as an identity can make them. */
export async function rewrap(context: Context, options: RewrapOptions): Promise<void> {
  const cluster = await openHere(context);
  const { record: roster } = await readRoster(cluster);
  requireFresh(roster, `roster ${String(roster.generation)}`, context.now);
  const pools = await readPools(context, cluster, roster);
  const identity = await identityFrom(context, options.identity);
  const opened: OpenedPool[] = [];
  try {
    for (const pool of pools) opened.push(...(await openPool(cluster, pool, identity)));
    if (opened.length === 0) refuseIdentity(identity.recipient, pools);
    const entries = await owedEntriesOf(cluster, roster, pools, opened, options.all);
    const { headers, failures } = await owedHeadersOf(cluster, roster, pools, opened, options.all);
    for (const { message } of failures) context.warn(message);
    await settle(context, cluster, [...entries, ...headers], options.dryRun);
    // One bad bundle keeps nobody's entry back, and is not passed over either.
    if (failures[0] !== undefined) throw failures[0];
  } finally {
    wipe(identity.seed);
    wipePools(opened);
  }
}

async function readPools(
  context: Context,
  cluster: Cluster,
  roster: VerifiedRoster,
): Promise<VerifiedPool[]> {
  const reads = await Promise.all(roster.pools.map(({ name }) => readPool(cluster, roster, name)));
  const pools = reads.flatMap((read) => (read === undefined ? [] : [read.record]));
  for (const { pool, generation, ...dates } of pools) {
    requireFresh(dates, `pool file ${pool} ${String(generation)}`, context.now);
  }
  return pools;
}

function refuseIdentity(recipient: Recipient, pools: readonly VerifiedPool[]): never {
  const names = pools.map(({ pool }) => pool).join(", ");
  throw new Failure(
    "entry/absent",
    `recipient ${recipientId(recipient)} has an entry in none of the pools ${names === "" ? "(there are none)" : names}`,
    "use the identity of an operator, or of a member that has its entry already",
  );
}

async function owedEntriesOf(
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
    return [{ what, path, bytes: held && sealEntry(held.identity, recipient) }];
  });
}

async function owedHeadersOf(
  cluster: Cluster,
  roster: VerifiedRoster,
  pools: readonly VerifiedPool[],
  opened: readonly OpenedPool[],
  all: boolean,
): Promise<{ readonly headers: readonly Owed[]; readonly failures: readonly Failure[] }> {
  const headers: Owed[] = [];
  const failures: Failure[] = [];
  for (const bundle of await listBundles(cluster.source)) {
    try {
      const statement = (await readStatement(cluster, roster, bundle))?.record;
      if (statement === undefined) continue;
      const inAudience = ({ pool }: { readonly pool: string }): boolean =>
        statement.audience.includes(pool);
      const owed = await owedHeaders(cluster.source, {
        statement,
        pools: pools.filter(inAudience),
        opened: opened.filter(inAudience),
        all,
      });
      headers.push(...owed.map(({ what, path, header }) => ({ what, path, bytes: header })));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures.push(error);
    }
  }
  return { headers, failures };
}

async function settle(
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
