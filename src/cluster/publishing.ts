import { Failure } from "../failure.ts";
import { hex } from "../crypto/bytes.ts";
import { sha256 } from "../crypto/digest.ts";
import { formatTime } from "../formats/fields.ts";
import {
  pendingRosterPath,
  poolPath,
  recordFile,
  rosterPath,
  signatureFile,
} from "../formats/paths.ts";
import { encodeMembers, encodePool, type Members, type Pool } from "../formats/records/pool.ts";
import type { Roster } from "../formats/records/roster.ts";
import type { SignerKey } from "../formats/sshsig/public-key.ts";
import type { Source } from "../sources/source.ts";
import { staleAfter } from "../trust/freshness.ts";
import type { VerifiedPool } from "../trust/pool.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import type { Read } from "./cluster.ts";

/** Armoured signatures by the key that made each. */
export type Signatures = ReadonlyMap<SignerKey, Uint8Array>;

/** The generation, predecessor and dates of the record that comes after `before`. */
export function successor(
  before: Read<VerifiedRoster> | Read<VerifiedPool> | undefined,
  now: Date,
): Pick<Roster, "generation" | "previous" | "issued" | "staleAfter"> {
  return {
    generation: (before?.record.generation ?? 0) + 1,
    previous: before === undefined ? null : hex(sha256(before.bytes)),
    issued: formatTime(now),
    staleAfter: formatTime(staleAfter(now)),
  };
}

/**
 * After it, a new generation with all its files is in the source, whole and durable.
 *
 * @param what - names the generation in the message
 * @returns the folder
 * @throws Failure `generation/conflict` if somebody else was first; `write/refused`
 */
async function publish(
  source: Source,
  folder: string,
  files: ReadonlyMap<string, Uint8Array>,
  signatures: Signatures,
  what: string,
): Promise<string> {
  const signed = [...signatures].map(
    ([signer, armoured]) => [signatureFile(signer), armoured] as const,
  );
  if (await source.publish(folder, new Map([...files, ...signed]))) return folder;
  throw new Failure(
    "generation/conflict",
    `somebody else has written ${what}: ${source.place(folder)}`,
  );
}

/** As {@link publish}, of a roster that enough root keys have signed. */
export function publishRoster(
  source: Source,
  generation: number,
  bytes: Uint8Array,
  signatures: Signatures,
): Promise<string> {
  const files = new Map([[recordFile.roster, bytes]]);
  return publish(source, rosterPath(generation), files, signatures, `roster ${String(generation)}`);
}

/** As {@link publish}, of a roster that waits for more signatures, where no reader looks. */
export function publishPendingRoster(
  source: Source,
  generation: number,
  bytes: Uint8Array,
  signatures: Signatures,
): Promise<string> {
  const files = new Map([[recordFile.roster, bytes]]);
  const what = `a roster ${String(generation)} that waits for signatures`;
  return publish(source, pendingRosterPath(generation), files, signatures, what);
}

/** As {@link publish}, of a pool file and the member list that it names. */
export function publishPool(
  source: Source,
  pool: Pool,
  members: Members,
  signatures: Signatures,
): Promise<string> {
  const files = new Map([
    [recordFile.pool, encodePool(pool)],
    [recordFile.members, encodeMembers(members)],
  ]);
  const what = `pool file ${pool.pool} ${String(pool.generation)}`;
  return publish(source, poolPath(pool.pool, pool.generation), files, signatures, what);
}
