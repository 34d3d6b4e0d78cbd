import { resolve } from "node:path";
import { readCard, writeCard } from "../cluster/cards.ts";
import { readRoster } from "../cluster/cluster.ts";
import { beginEpoch } from "../cluster/epochs.ts";
import { Failure } from "../failure.ts";
import { parseName } from "../formats/names.ts";
import { fingerprint } from "../formats/sshsig/public-key.ts";
import { requireFresh } from "../trust/freshness.ts";
import { rosterPool } from "../trust/roster.ts";
import type { Context } from "./context.ts";
import {
  checkHostKey,
  enrol,
  refuseReturning,
  showNewcomers,
  type HostKeyOptions,
} from "./enrolment.ts";
import { readPoolState, writePool } from "./pool-change.ts";
import { reportNext, reportWritten } from "./report.ts";
import { openToSign } from "./repository.ts";
import { chooseSigner } from "./signing.ts";

/** Where nodes are added, and how their cards are checked. */
export interface AddNodeOptions extends HostKeyOptions {
  readonly pool: string;
  /** Whether a node's new card takes the place of the one that is enrolled. */
  readonly replaces: boolean;
  readonly signer: string | undefined;
}

/**
 * Nodes in a pool, by their cards. The first begins the pool's first epoch; later ones are owed an
 * entry, which needs somebody who has one.
 */
export async function addNode(
  context: Context,
  paths: readonly string[],
  options: AddNodeOptions,
): Promise<void> {
  const pool = parseName("pool", options.pool);
  if (options.fingerprint !== undefined && paths.length > 1) {
    throw new Failure(
      "usage/invalid",
      `one fingerprint is given for ${String(paths.length)} cards`,
      "add them one by one, or give --known-hosts FILE",
    );
  }
  const cluster = await openToSign(context);
  const { source } = cluster;
  const { record: roster } = await readRoster(cluster);
  requireFresh(roster, `roster ${String(roster.generation)}`, context.now);
  const { managers } = rosterPool(roster, pool);
  const cards = await Promise.all(paths.map((path) => readCard(resolve(context.directory, path))));
  const { file, members: present } = await readPoolState(cluster, roster, pool);
  for (const card of cards) await checkHostKey(context, card, options, present);
  const members = enrol(present, cards, options.replaces);
  const newcomers = members.filter((member) => !present.includes(member));
  if (file !== undefined && options.replaces) {
    await refuseReturning(cluster, roster, file.record, newcomers);
  }
  const generation = (file?.record.generation ?? 0) + 1;
  const result = { pool, nodes: newcomers.map(({ node }) => node) };
  if (newcomers.length === 0) {
    context.print(`nothing to do: pool ${pool} has ${present.map(({ node }) => node).join(", ")}`);
    context.result({ ...result, generation: generation - 1, owed: [] });
    return;
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
  } else {
    const names = newcomers.map(({ node }) => node).join(", ");
    context.print(
      options.replaces
        ? `${names} opens nothing with the new identity before an entry is written for it: by the node's own pass where it has both, else by an operator or another member`
        : `${names} can't open anything before an operator or a member has written the entry`,
    );
    reportNext(context, "sealaunch rewrap --identity FILE");
  }
  context.result({ ...result, generation, owed: file === undefined ? [] : result.nodes });
}
