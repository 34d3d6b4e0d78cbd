import * as z from "zod/mini";
import { decodeConfiguration, decodeRecord, encodeRecord } from "../canonical.ts";
import {
  clusterField,
  countField,
  hashField,
  nameField,
  recipientField,
  signerKeyField,
  sortedList,
  timeField,
} from "../fields.ts";

const Epoch = z.strictObject({ epoch: countField(1), recipient: recipientField });

/** A pool's state, signed by a manager of the pool (docs/bundle-format.md §7.3). */
const Pool = z.strictObject({
  type: z.literal("pool"),
  version: z.literal(1),
  cluster: clusterField,
  pool: nameField("pool"),
  generation: countField(1),
  previous: z.nullable(hashField),
  issued: timeField,
  staleAfter: timeField,
  current: Epoch,
  leaving: z.nullable(Epoch),
  members: hashField,
});
export type Pool = z.infer<typeof Pool>;

const Member = z.strictObject({
  node: nameField("node"),
  recipient: recipientField,
  hostKey: signerKeyField,
});

/** The members of a pool, named by hash in its pool file (docs/bundle-format.md §7.4). */
const Members = z.strictObject({
  type: z.literal("members"),
  version: z.literal(1),
  cluster: clusterField,
  pool: nameField("pool"),
  members: sortedList(Member, (member) => member.node),
});
export type Members = z.infer<typeof Members>;
export type Member = z.infer<typeof Member>;

/** A pool file is at most this many bytes. */
export const maxPoolSize = 64 * 1024;
/** A member list is at most this many bytes, room for 60,000 members. */
export const maxMembersSize = 128 * 1024 * 1024;

/** The bytes that managers sign. */
export function encodePool(pool: Pool): Uint8Array {
  return encodeRecord(pool);
}

/** @throws Failure `pool/malformed` */
export function decodePool(bytes: Uint8Array): Pool {
  return decodeRecord(bytes, Pool, "pool/malformed", "pool file", maxPoolSize);
}

/** The bytes whose hash a pool file names. */
export function encodeMembers(members: Members): Uint8Array {
  return encodeRecord(members);
}

/** @throws Failure `members/malformed` */
export function decodeMembers(bytes: Uint8Array): Members {
  return decodeRecord(bytes, Members, "members/malformed", "member list", maxMembersSize);
}

/** Where the one spelling of member lists has a node; negative if it hasn't. */
function placeOfMember(bytes: Uint8Array, node: string): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(
    `\n    {\n      "node": ${JSON.stringify(node)},\n`,
  );
}

/** Whether a member list may say something of a node. It is searched, not read: for bytes that nobody has judged. */
export function namesMember(bytes: Uint8Array, node: string): boolean {
  return placeOfMember(bytes, node) >= 0;
}

/**
 * What a member list says of one node, without reading the others: undefined if it isn't there. Only of
 * a list that a pool file names, since nothing else of it is judged.
 *
 * @throws Failure `members/malformed`
 */
export function decodeMember(bytes: Uint8Array, node: string): Member | undefined {
  const start = placeOfMember(bytes, node);
  if (start < 0) return undefined;
  const ending = "\n    }";
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = text.indexOf(ending, start) + ending.length;
  return decodeConfiguration(bytes.slice(start, end), Member, "member list", "members/malformed");
}
