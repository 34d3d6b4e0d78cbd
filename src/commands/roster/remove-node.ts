import { readMember, readPool, readRoster, type Cluster } from "../../cluster/cluster.ts";
import { pastMembers } from "../../cluster/history.ts";
import { obstaclesOf, requireSettled } from "../../cluster/leaving.ts";
import { createMemory, mostRemembered } from "../../cluster/memory.ts";
import { recipientId } from "../../crypto/recipient.ts";
import { Failure } from "../../failure.ts";
import { parseName } from "../../formats/names.ts";
import { fingerprint } from "../../formats/sshsig/public-key.ts";
import { requireFresh } from "../../trust/freshness.ts";
import { rosterPool, type VerifiedRoster } from "../../trust/roster.ts";
import type { Context } from "../context.ts";
import { requireHostOf, tryToEmpty } from "./remove-node-ssh.ts";
import { evict, forgetCard, type Eviction } from "./eviction.ts";
import { readReadable, showReadable } from "./eviction-readable.ts";
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
  /** The node's machine, as ssh(1) takes it, which is then none of a node any more. */
  readonly host: string | undefined;
}

/**
 * After it, a node is no member of pools any more, and nothing that is sealed from now on is for it.
 * It goes as far as it can without an identity; run again it goes on from wherever it was stopped. What its
 * machine had of it is gone too, if that was asked for and the machine is reached.
 *
 * @throws Failure `node/unknown`, `node/unverified`; what keeps that machine from being emptied, after all else was done
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
  const { host } = options;
  const was = evictions.flatMap((eviction) => eviction.was);
  if (host !== undefined) await requireHostOf(context, host, node, was);
  for (const eviction of evictions) showEviction(context, eviction);
  if (host !== undefined)
    context.print(`what ${host} has of it is destroyed: identity, cards, configuration, mirror`);
  const signers = new Set(evictions.flatMap(({ signer }) => (signer ? [signer.signer] : [])));
  if ((signers.size > 0 || host !== undefined) && !options.dryRun) {
    const keys = [...signers].map(fingerprint).join(", ");
    const signing = signers.size > 0 ? `, sign as ${keys}` : "";
    const emptying = host === undefined ? "" : `, destroy what ${host} has of it`;
    await context.confirm(`remove node ${node}${signing}${emptying}?`);
  }
  const unfinished: string[] = [];
  for (const eviction of options.dryRun ? [] : evictions) {
    if (!(await evict(context, cluster, roster, eviction))) unfinished.push(eviction.pool);
  }
  if (!options.dryRun) await forgetCard(cluster, roster, node, evictions);
  // Whatever becomes of the machine, the node is shut out by now.
  const emptying =
    host === undefined || options.dryRun
      ? undefined
      : await tryToEmpty(context, cluster, host, node);
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
  const machine = emptying?.machine;
  const { dryRun } = options;
  context.result({
    ...{ node, pools, unfinished, values, bundles, gaps, dryRun },
    ...(machine === undefined ? {} : { machine }),
  });
  if (emptying?.failure !== undefined) throw emptying.failure;
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
