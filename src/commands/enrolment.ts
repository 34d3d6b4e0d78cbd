import { resolve } from "node:path";
import type { FoundCard } from "../cluster/cards.ts";
import { recipientId } from "../crypto/recipient.ts";
import { Failure } from "../failure.ts";
import type { Member } from "../formats/records/pool.ts";
import { fingerprint, isSignerKey } from "../formats/sshsig/public-key.ts";
import { knownHostKeys } from "../host/known-hosts.ts";
import { listKeys } from "../trust/signed.ts";
import type { Context } from "./context.ts";

/** What a card's host key is compared with: one of the two. */
export interface HostKeyOptions {
  readonly knownHosts: string | undefined;
  readonly fingerprint: string | undefined;
}

/**
 * Returns if the key that signed the card is the node's, as far as it is known otherwise.
 *
 * @throws Failure `node/unverified`, `usage/invalid`
 */
export async function checkHostKey(
  context: Context,
  { card, hostKey }: FoundCard,
  { knownHosts, fingerprint: expected }: HostKeyOptions,
): Promise<void> {
  const found = fingerprint(hostKey);
  if (knownHosts === undefined && expected === undefined) {
    throw new Failure(
      "node/unverified",
      `the card of ${card.node} is signed by ${found}; nothing says yet that this is the node's host key`,
      "give --known-hosts FILE, or compare on the node (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and give --fingerprint SHA256:…",
    );
  }
  if (expected !== undefined && expected !== found) {
    throw new Failure(
      "node/unverified",
      `the card of ${card.node} is signed by ${found}, not by ${expected}`,
    );
  }
  if (knownHosts === undefined) return;
  const file = resolve(context.directory, knownHosts);
  const known = (await knownHostKeys(card.node, file)).filter(isSignerKey);
  if (known.includes(hostKey)) return;
  throw new Failure(
    "node/unverified",
    `the card of ${card.node} is signed by ${found}, ${knownHosts} has ${known.length === 0 ? "no ed25519 key for it" : listKeys(known)}`,
  );
}

/**
 * The members with the newcomers among them, in the order of records.
 *
 * @throws Failure `usage/exists` if a name or a recipient is a different node's
 */
export function enrol(members: readonly Member[], newcomers: readonly FoundCard[]): Member[] {
  const enrolled = [...members];
  for (const { card, hostKey } of newcomers) {
    const { node, recipient } = card;
    const namesake = enrolled.find((member) => member.node === node);
    if (namesake !== undefined && namesake.recipient !== recipient) {
      throw new Failure(
        "usage/exists",
        `node ${node} is a member with recipient ${recipientId(namesake.recipient)}, its card has ${recipientId(recipient)}`,
        "use the card of the identity that is enrolled, or give the new node another name",
      );
    }
    const twin = enrolled.find((member) => member.recipient === recipient && member.node !== node);
    if (twin !== undefined) {
      throw new Failure(
        "usage/exists",
        `the card of ${node} has the recipient of node ${twin.node}`,
        "make an identity for each node: sealaunch identity create --into DIR",
      );
    }
    if (namesake === undefined) enrolled.push({ node, recipient, hostKey });
  }
  return enrolled.sort((a, b) => (a.node < b.node ? -1 : 1));
}
