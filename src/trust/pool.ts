import { hex } from "../crypto/bytes.ts";
import { sha256 } from "../crypto/digest.ts";
import { Failure } from "../failure.ts";
import {
  decodeMember,
  decodeMembers,
  decodePool,
  type Member,
  type Members,
  type Pool,
} from "../formats/records/pool.ts";
import { requireCluster, rosterPool, type VerifiedRoster } from "./roster.ts";
import { requireSigners, signersOf, type SignedBytes } from "./signed.ts";

declare const verified: unique symbol;
/** A pool file that a manager of the pool has signed. Made only by {@link judgePool}. */
export type VerifiedPool = Pool & { readonly [verified]: true };

/**
 * The pool file in `signed`.
 *
 * @param generation - the number under which it was found
 * @throws Failure `pool/unknown`, `signature/…`, `pool/malformed`, `cluster/mismatch`
 */
export function judgePool(
  signed: SignedBytes,
  roster: VerifiedRoster,
  pool: string,
  generation: number,
): VerifiedPool {
  const what = `pool file ${pool} ${String(generation)}`;
  const { managers } = rosterPool(roster, pool);
  requireSigners(signersOf(signed, "pool"), managers, 1, what);
  const record = decodePool(signed.bytes);
  requireCluster(record.cluster, roster.cluster, what);
  if (record.pool !== pool || record.generation !== generation) {
    throw new Failure(
      "pool/malformed",
      `${what} calls itself ${record.pool} ${String(record.generation)}`,
    );
  }
  return record as VerifiedPool;
}

/**
 * The member list that a pool file names.
 *
 * @throws Failure `members/hash`, `members/malformed`
 */
export function judgeMembers(bytes: Uint8Array, pool: VerifiedPool): Members {
  requireNamed(bytes, pool);
  const members = decodeMembers(bytes);
  if (members.pool !== pool.pool || members.cluster !== pool.cluster) {
    throw new Failure("members/malformed", `member list of pool ${pool.pool} is of another pool`);
  }
  return members;
}

/**
 * What the member list that a pool file names says of one node; undefined if it isn't a member. The others
 * aren't looked at, so that it costs a node the same however many they are.
 *
 * @throws Failure `members/hash`, `members/malformed`
 */
export function judgeMember(
  bytes: Uint8Array,
  pool: VerifiedPool,
  node: string,
): Member | undefined {
  requireNamed(bytes, pool);
  return decodeMember(bytes, node);
}

function requireNamed(bytes: Uint8Array, pool: VerifiedPool): void {
  const found = hex(sha256(bytes));
  if (found === pool.members) return;
  throw new Failure(
    "members/hash",
    `member list of pool ${pool.pool} is ${found.slice(0, 16)}…, its pool file names ${pool.members.slice(0, 16)}…`,
  );
}

/** The epochs that a pool's members can open: the current one, then the one that is being left. */
export function epochsOf({ current, leaving }: Pool): readonly Pool["current"][] {
  return leaving === null ? [current] : [current, leaving];
}
