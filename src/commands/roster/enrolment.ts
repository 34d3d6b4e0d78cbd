import { resolve } from "node:path";
import type { FoundCard } from "../../cluster/cards.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { pastMembers } from "../../cluster/history.ts";
import { recipientId } from "../../crypto/recipient.ts";
import { Failure } from "../../failure.ts";
import type { Member } from "../../formats/records/pool.ts";
import { fingerprint, isSignerKey } from "../../formats/sshsig/public-key.ts";
import { knownHostKeys } from "../../host/ssh/known-hosts.ts";
import type { VerifiedPool } from "../../trust/pool.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import { listKeys } from "../../trust/signed.ts";
import type { Context } from "../context.ts";

/** What a card's host key is compared with: one of the two. */
export interface HostKeyOptions {
  readonly knownHosts: string | undefined;
  readonly fingerprint: string | undefined;
}

/**
 * Returns if the key that signed the card is the node's, as far as it is known otherwise: from what is
 * given, or from the member list of the pool in which the node is already.
 *
 * @throws Failure `node/unverified`, `usage/invalid`
 */
export async function checkHostKey(
  context: Context,
  { card, hostKey }: FoundCard,
  { knownHosts, fingerprint: expected }: HostKeyOptions,
  enrolled: readonly Member[],
): Promise<void> {
  const found = fingerprint(hostKey);
  const isEnrolled = enrolled.some(
    (member) => member.node === card.node && member.hostKey === hostKey,
  );
  if (isEnrolled && knownHosts === undefined && expected === undefined) return;
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
 * @param replaces - whether a node's new card takes the place of its old one
 * @throws Failure `usage/exists` if a name or a recipient is a different node's
 */
export function enrol(
  members: readonly Member[],
  newcomers: readonly FoundCard[],
  replaces: boolean,
): Member[] {
  let enrolled = [...members];
  for (const { card, hostKey } of newcomers) {
    const { node, recipient } = card;
    const namesake = enrolled.find((member) => member.node === node);
    if (namesake?.recipient === recipient && namesake.hostKey === hostKey) continue;
    if (namesake !== undefined && !replaces) {
      throw new Failure(
        "usage/exists",
        `node ${node} is a member with recipient ${recipientId(namesake.recipient)} and host key ${fingerprint(namesake.hostKey)}, its card has ${recipientId(recipient)} and ${fingerprint(hostKey)}`,
        "if it is the same node, with a new identity: --replace; else give the new node another name",
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
    enrolled = [...enrolled.filter((member) => member !== namesake), { node, recipient, hostKey }];
  }
  return enrolled.sort((a, b) => (a.node < b.node ? -1 : 1));
}

/**
 * Returns if no newcomer comes back to a recipient that the node has left: a source can show a
 * node's old card again, whose identity may be in other hands by now.
 *
 * @throws Failure `node/unverified`
 */
export async function refuseReturning(
  cluster: Cluster,
  roster: VerifiedRoster,
  pool: VerifiedPool,
  newcomers: readonly Member[],
): Promise<void> {
  for (const { node, recipient } of newcomers) {
    const past = await pastMembers(cluster, roster, pool, node);
    if (!past.some((member) => member.recipient === recipient)) continue;
    throw new Failure(
      "node/unverified",
      `the card of ${node} has recipient ${recipientId(recipient)}, which ${node} had before in pool ${pool.pool} and left`,
      "make a new identity on the node: sealaunch identity rotate",
    );
  }
}

/** Shows who comes into a pool, and what of whom is there already changes. */
export function showNewcomers(
  context: Context,
  present: readonly Member[],
  newcomers: readonly Member[],
): void {
  for (const { node, recipient, hostKey } of newcomers) {
    const was = present.find((member) => member.node === node);
    const [id, key] = [recipientId(recipient), fingerprint(hostKey)];
    if (was === undefined) {
      context.print(`  + node ${node} (recipient ${id}, host key ${key})`);
      continue;
    }
    const same = was.hostKey === hostKey;
    context.print(`  ~ node ${node}: recipient ${recipientId(was.recipient)} → ${id}`);
    context.print(
      same ? `    host key ${key}, as before` : `    host key ${fingerprint(was.hostKey)} → ${key}`,
    );
  }
}
