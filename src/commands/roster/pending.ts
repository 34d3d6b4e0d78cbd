import { listNodeCards } from "../../cluster/cards.ts";
import { readRoster } from "../../cluster/cluster.ts";
import { recipientId } from "../../crypto/recipient.ts";
import type { Member } from "../../formats/records/pool.ts";
import { fingerprint } from "../../formats/sshsig/public-key.ts";
import type { SignedCard } from "../../trust/card.ts";
import type { Context } from "../context.ts";
import { readPoolState } from "./pool-change.ts";
import { reportNext } from "../report.ts";
import { openHere } from "../repository.ts";

/**
 * Tells which nodes have announced themselves and aren't in any pool as they say they are. Whoever can
 * write to the source may have put a card there: nothing is taken from one before a manager signs.
 */
export async function showPending(context: Context): Promise<void> {
  const cluster = await openHere(context);
  const { record: roster } = await readRoster(cluster);
  const states = await Promise.all(
    roster.pools.map(({ name }) => readPoolState(cluster, roster, name)),
  );
  const members = states.flatMap((state) => state.members);
  const cards = await listNodeCards(cluster.source);
  const pending = cards.filter(({ card, hostKey }) =>
    members.every(
      (member) =>
        member.node !== card.node ||
        member.recipient !== card.recipient ||
        member.hostKey !== hostKey,
    ),
  );
  await context.table(
    ["node", "recipient", "host key", "created", "what"],
    pending.map((signed) => [
      signed.card.node,
      recipientId(signed.card.recipient),
      fingerprint(signed.hostKey),
      signed.card.created,
      describe(signed, members),
    ]),
  );
  if (pending.length === 0) context.print("nobody waits");
  else
    reportNext(context, "sealaunch roster add-node keys/nodes/NODE --pool POOL --known-hosts FILE");
  context.result(
    pending.map((signed) => ({
      node: signed.card.node,
      recipient: signed.card.recipient,
      hostKey: signed.hostKey,
      created: signed.card.created,
      what: describe(signed, members),
    })),
  );
}

function describe({ card, hostKey }: SignedCard, members: readonly Member[]): string {
  const namesakes = members.filter(({ node }) => node === card.node);
  if (namesakes.length === 0) return "new, host key unknown";
  return namesakes.some((member) => member.hostKey === hostKey)
    ? "new identity, host key as before"
    : "ANOTHER HOST KEY than the one enrolled";
}
