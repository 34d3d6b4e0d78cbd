import { writeCard, type FoundCard } from "../../cluster/cards.ts";
import { readRoster, type Cluster } from "../../cluster/cluster.ts";
import { wipePools } from "../../cluster/entries.ts";
import { beginEpoch } from "../../cluster/epochs.ts";
import { parseName } from "../../formats/names.ts";
import type { Member } from "../../formats/records/pool.ts";
import { fingerprint } from "../../formats/sshsig/public-key.ts";
import { requireFresh } from "../../trust/freshness.ts";
import { rosterPool } from "../../trust/roster.ts";
import { admit, openToAdmit, type Enrolled } from "./admission.ts";
import type { Context } from "../context.ts";
import { enrol, refuseReturning, showNewcomers } from "./enrolment.ts";
import { readPoolState, writePool } from "./pool-change.ts";
import { reportNext, reportWritten } from "../report.ts";
import { chooseSigner } from "../signing.ts";

/** Where nodes are added. */
export interface EnrolOptions {
  readonly pool: string;
  /** Whether a node's new card takes the place of the one that is enrolled. */
  readonly replaces: boolean;
  readonly signer: string | undefined;
  /** Whose identity gives newcomers their entries at once; somebody else's pass does if undefined. */
  readonly identity: string | undefined;
}

/** Returns if the key that signed a card is the node's. @throws Failure `node/unverified` */
export type CheckCard = (card: FoundCard, present: readonly Member[]) => Promise<void>;

/**
 * After it, nodes are in a pool, by their cards, and it was said who gives them their entries if nobody has.
 *
 * @throws Failure what `check` refuses; all that reading the cluster refuses; `entry/absent` of the identity;
 *   `signer/…`, `usage/declined`, `generation/conflict`, `write/refused`
 */
export async function enrolAndAdmit(
  context: Context,
  cluster: Cluster,
  cards: readonly FoundCard[],
  options: EnrolOptions,
  check: CheckCard,
): Promise<Enrolled> {
  const { identity, replaces } = options;
  // Before anything is signed: an identity that opens nothing is of no use afterwards.
  const opened =
    identity === undefined ? [] : await openToAdmit(context, cluster, options.pool, identity);
  try {
    const enrolled = await enrolCards(context, cluster, cards, options, check);
    const owed = await admit(context, cluster, enrolled, opened, replaces);
    return { ...enrolled, owed };
  } finally {
    wipePools(opened);
  }
}

async function enrolCards(
  context: Context,
  cluster: Cluster,
  cards: readonly FoundCard[],
  options: EnrolOptions,
  check: CheckCard,
): Promise<Enrolled> {
  const pool = parseName("pool", options.pool);
  const { source } = cluster;
  const { record: roster } = await readRoster(cluster);
  requireFresh(roster, `roster ${String(roster.generation)}`, context.now);
  const { managers } = rosterPool(roster, pool);
  const { file, members: present } = await readPoolState(cluster, roster, pool);
  for (const card of cards) await check(card, present);
  const members = enrol(present, cards, options.replaces);
  const newcomers = members.filter((member) => !present.includes(member));
  if (file !== undefined && options.replaces) {
    await refuseReturning(cluster, roster, file.record, newcomers);
  }
  const generation = (file?.record.generation ?? 0) + 1;
  const result = { pool, nodes: newcomers.map(({ node }) => node) };
  if (newcomers.length === 0) {
    context.print(`nothing to do: pool ${pool} has ${present.map(({ node }) => node).join(", ")}`);
    return { ...result, generation: generation - 1, owed: [] };
  }
  const signer = await chooseSigner(context, managers, options.signer, `pool file ${pool}`);
  context.print(
    file === undefined
      ? `pool ${pool} begins, in epoch 1:`
      : `pool ${pool}: generation ${String(generation - 1)} → ${String(generation)}:`,
  );
  showNewcomers(context, present, newcomers);
  await context.confirm(`sign pool file ${pool} as ${fingerprint(signer.signer)}?`);
  const epoch =
    file === undefined
      ? await beginEpoch(
          source,
          pool,
          0,
          [...members, ...roster.operators].map(({ recipient }) => recipient),
          context.each,
        )
      : { current: file.record.current, entries: undefined };
  const folder = await writePool(context, cluster, roster, signer, pool, file, {
    members,
    current: epoch.current,
    leaving: file?.record.leaving ?? null,
  });
  const kept = await Promise.all(
    cards.map((found) => writeCard(source, { ...found, node: found.card.node })),
  );
  reportWritten(
    context,
    [...(epoch.entries === undefined ? [] : [epoch.entries]), folder, ...kept].map((path) =>
      source.place(path),
    ),
  );
  if (file === undefined) {
    reportNext(context, `sealaunch roster add-signer NAME KEY.pub --name SCOPE`);
  }
  return { ...result, generation, owed: file === undefined ? [] : result.nodes };
}
