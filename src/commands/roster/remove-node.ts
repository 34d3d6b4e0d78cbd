import {
  readMember,
  readPool,
  readRoster,
  requirePool,
  type Cluster,
} from "../../cluster/cluster.ts";
import { pastMembers } from "../../cluster/history.ts";
import { obstaclesOf, requireSettled } from "../../cluster/leaving.ts";
import { readableBy, type Readable } from "../../cluster/readable.ts";
import { createMemory, mostRemembered } from "../../cluster/memory.ts";
import { recipientId } from "../../crypto/recipient.ts";
import { Failure } from "../../failure.ts";
import { parseName } from "../../formats/names.ts";
import { fingerprint } from "../../formats/sshsig/public-key.ts";
import { requireFresh } from "../../trust/freshness.ts";
import { rosterPool, type VerifiedRoster } from "../../trust/roster.ts";
import type { Context } from "../context.ts";
import { evict, forgetCard, type Eviction } from "./eviction.ts";
import { showReadable } from "./eviction-readable.ts";
import { reportNext } from "../report.ts";
import { openToSign } from "../repository.ts";
import { chooseSigner } from "../signing.ts";

/** From where a node goes, and how. */
export interface RemoveNodeOptions {
  /** Only these pools; all in which it is if there are none. */
  readonly pools: readonly string[];
  /** Whether nobody can have the node's identity any more. */
  readonly isDestroyed: boolean;
  /** Says what would be done, and does nothing. */
  readonly dryRun: boolean;
  readonly signer: string | undefined;
}

/**
 * After it, a node is no member of pools any more, and nothing that is sealed from now on is for it.
 * It goes as far as it can without an identity; run again it goes on from wherever it was stopped.
 */
export async function removeNode(
  context: Context,
  name: string,
  options: RemoveNodeOptions,
): Promise<void> {
  const node = parseName("node", name);
  const cluster = { ...(await openToSign(context)), memory: createMemory(mostRemembered) };
  const { record: roster } = await readRoster(cluster);
  requireFresh(roster, `roster ${String(roster.generation)}`, context.now);
  const evictions = await findEvictions(context, cluster, roster, node, options);
  for (const eviction of evictions) showEviction(context, eviction);
  const signers = new Set(evictions.flatMap(({ signer }) => (signer ? [signer.signer] : [])));
  if (signers.size > 0 && !options.dryRun) {
    const keys = [...signers].map(fingerprint).join(", ");
    await context.confirm(`remove node ${node}, and sign as ${keys}?`);
  }
  const unfinished: string[] = [];
  for (const eviction of options.dryRun ? [] : evictions) {
    if (!(await evict(context, cluster, roster, eviction))) unfinished.push(eviction.pool);
  }
  if (!options.dryRun) await forgetCard(cluster, roster, node, evictions);
  const pools = evictions.map(({ pool }) => pool);
  const readable = await readReadable(context, cluster, roster, evictions, options.dryRun);
  showReadable(context, node, readable);
  if (unfinished.length > 0) {
    context.print(
      `pool ${unfinished.join(", ")} goes on once a member or an operator has written what is owed: then run this again`,
    );
    reportNext(context, "sealaunch rewrap --identity FILE");
  } else if (!options.dryRun) reportNext(context, "sealaunch verify");
  const { bundles, gaps } = readable;
  const values = bundles.flatMap(({ bundle, credentials }) =>
    credentials.map((credential) => ({ bundle, credential })),
  );
  context.result({ node, pools, unfinished, values, bundles, gaps, dryRun: options.dryRun });
}

/** The pools in which the node is or was. Nothing is begun that can't be signed to the end. */
async function findEvictions(
  context: Context,
  cluster: Cluster,
  roster: VerifiedRoster,
  node: string,
  { pools, isDestroyed, signer: chosen }: RemoveNodeOptions,
): Promise<Eviction[]> {
  const evictions: Eviction[] = [];
  for (const pool of pools.length > 0 ? pools : roster.pools.map((one) => one.name)) {
    const { managers } = rosterPool(roster, pool);
    const file = await readPool(cluster, roster, pool);
    if (file === undefined) continue;
    const present = await readMember(cluster.source, file.record, node);
    const isMember = present !== undefined;
    const was = isMember ? [present] : await pastMembers(cluster, roster, file.record, node, 1);
    if (was.length === 0) continue;
    if (isMember && !isDestroyed) {
      await requireSettled(cluster, roster, file.record, context.each);
    }
    const mayDrop = async (): Promise<boolean> =>
      file.record.leaving !== null &&
      (await obstaclesOf(cluster, roster, file.record, context.each)).length === 0;
    const signer =
      isMember || (await mayDrop())
        ? await chooseSigner(context, managers, chosen, `pool file ${pool}`)
        : undefined;
    evictions.push({ pool, node, was, isMember, isDestroyed, signer });
  }
  if (evictions.length > 0) return evictions;
  throw new Failure(
    "node/unknown",
    `node ${node} never was in ${pools.length > 0 ? `pool ${pools.join(", ")}` : "any pool"}`,
  );
}

function showEviction(
  context: Context,
  { pool, node, was, isMember, isDestroyed }: Eviction,
): void {
  const [last] = was;
  if (last === undefined) return;
  if (!isMember) {
    context.print(`pool ${pool}: ${node} is no member any more, what is left to do is done`);
    return;
  }
  const epoch = isDestroyed ? "the epoch goes on" : "a new epoch begins";
  context.print(`pool ${pool}, ${epoch}:`);
  context.print(
    `  - node ${node} (recipient ${recipientId(last.recipient)}, host key ${fingerprint(last.hostKey)})`,
  );
}

/** What the node could read: before anything is done, all for its pools; then what is owed. */
async function readReadable(
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
