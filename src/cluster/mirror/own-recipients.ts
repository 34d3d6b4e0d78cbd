import { dirname, join } from "node:path";
import type { Recipient } from "../../crypto/recipient.ts";
import { Failure } from "../../failure.ts";
import type { NodeConfiguration } from "../../formats/configuration.ts";
import type { Source } from "../../sources/source.ts";
import { readCard, readNodeCard } from "../cards.ts";
import type { Located } from "../configuration.ts";

/**
 * The recipients that a node may have entries for, by its cards, since who asks has no identity: those
 * beside its configuration and its identity, where `identity create` and `identity rotate` put them, and
 * the one that it has announced.
 *
 * @throws Failure `card/absent` if there is none of either; `source/unreadable`
 */
export async function knownRecipients(
  { configuration, directory }: Located<NodeConfiguration>,
  source: Source,
): Promise<readonly Recipient[]> {
  const homes = [...new Set([directory, dirname(configuration.identity)])];
  const places = homes.flatMap((home) => [home, join(home, "next")]);
  const own = await Promise.all(places.map((place) => readCard(place).catch(noCard)));
  const announced = await readNodeCard(source, configuration.node);
  const recipients = [...own, announced].flatMap((signed) =>
    signed?.card.node === configuration.node ? [signed.card.recipient] : [],
  );
  if (recipients.length > 0) return [...new Set(recipients)];
  throw new Failure(
    "card/absent",
    `neither ${places.join(", ")} nor ${source.name} has a card of node ${configuration.node}`,
  );
}

function noCard(error: unknown): undefined {
  if (!(error instanceof Failure)) throw error;
}
