import { listBundles, listBundlesWithHeaders } from "../../cluster/bundles.ts";
import { readPool, readRoster, type Cluster } from "../../cluster/cluster.ts";
import { openNode, readNode } from "../../cluster/configuration.ts";
import { openPool, wipePools, type OpenedPool } from "../../cluster/entries.ts";
import { readIdentities } from "../../cluster/identities.ts";
import { wipe } from "../../crypto/bytes.ts";
import type { Identity } from "../../crypto/identity.ts";
import { recipientId } from "../../crypto/recipient.ts";
import { Failure } from "../../failure.ts";
import { requireFresh } from "../../trust/freshness.ts";
import type { VerifiedPool } from "../../trust/pool.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import type { Context } from "../context.ts";
import { identityFrom } from "../open.ts";
import { openToSign } from "../repository.ts";
import { owedEntriesOf, owedHeadersOf, settle, type Owed } from "./owed.ts";
import { finishRotation, type OwnNode } from "./rotation.ts";

/** Whose identity rewraps, and how much. */
export interface RewrapOptions {
  /** An operator's or member's; this node's own if undefined. */
  readonly identity: string | undefined;
  /** Says what is owed, and writes nothing. */
  readonly dryRun: boolean;
  /** Writes everything anew that the identity can, also what is there. */
  readonly all: boolean;
}

/** Who rewraps, and what it sees. */
interface Pass {
  readonly cluster: Cluster;
  readonly identities: readonly Identity[];
  /** Where this node sees to what is its own. */
  readonly node: OwnNode | undefined;
}

/**
 * Writes the entries and headers that are owed, as far as an identity can make them. A node's own pass
 * also ends its rotation.
 */
export async function rewrap(context: Context, options: RewrapOptions): Promise<void> {
  const { cluster, identities, node } = await begin(context, options.identity);
  const opened: OpenedPool[] = [];
  try {
    const { record: roster } = await readRoster(cluster);
    requireFresh(roster, `roster ${String(roster.generation)}`, context.now);
    const all = await readPools(cluster, roster);
    for (const pool of all) opened.push(...(await openPool(cluster, pool, identities)));
    if (opened.length === 0) refuseIdentity(identities, all);
    const isOpened = ({ pool }: { readonly pool: string }): boolean =>
      opened.some((one) => one.pool === pool);
    // What other pools are owed is nothing that a member could see to: it reads neither their members nor
    // bundles that it has no header of.
    const own = all.filter(isOpened);
    const pools = node === undefined ? all : own;
    for (const { pool, generation, ...dates } of pools) {
      requireFresh(dates, `pool file ${pool} ${String(generation)}`, context.now);
    }
    const entries = await owedEntriesOf(cluster, roster, pools, opened, options.all);
    const bundles =
      node === undefined
        ? await listBundles(cluster.source)
        : await listBundlesWithHeaders(cluster.source, opened);
    const needs = { bundles, pools: all, opened, all: options.all };
    const { headers, failures } = await owedHeadersOf(context, cluster, roster, needs);
    for (const { message } of failures) context.warn(message);
    const isOwn = (owed: Owed): boolean =>
      node === undefined || owed.bytes !== undefined || isOpened(owed);
    await settle(context, cluster, [...entries, ...headers].filter(isOwn), options.dryRun);
    if (node !== undefined && !options.dryRun) {
      await finishRotation(context, cluster, roster, { all, own }, node);
    }
    // One bad bundle keeps nobody's entry back, and is not passed over either.
    if (failures[0] !== undefined) throw failures[0];
  } finally {
    wipe(...identities.map(({ seed }) => seed));
    wipePools(opened);
  }
}

async function begin(context: Context, file: string | undefined): Promise<Pass> {
  if (file !== undefined) {
    const cluster = await openToSign(context);
    return { cluster, identities: [await identityFrom(context, file)], node: undefined };
  }
  const located = await readNode(context.configuration);
  const cluster = await openNode(located, context.now);
  const identities = await readIdentities(located.configuration.identity);
  return { cluster, identities, node: { located, identities } };
}

async function readPools(cluster: Cluster, roster: VerifiedRoster): Promise<VerifiedPool[]> {
  const reads = await Promise.all(roster.pools.map(({ name }) => readPool(cluster, roster, name)));
  return reads.flatMap((read) => (read === undefined ? [] : [read.record]));
}

function refuseIdentity(identities: readonly Identity[], pools: readonly VerifiedPool[]): never {
  const ids = identities.map(({ recipient }) => recipientId(recipient)).join(" and ");
  const names = pools.map(({ pool }) => pool).join(", ");
  throw new Failure(
    "entry/absent",
    `recipient ${ids} has an entry in none of the pools ${names === "" ? "(there are none)" : names}`,
    "use the identity of an operator, or of a member that has its entry already",
  );
}
