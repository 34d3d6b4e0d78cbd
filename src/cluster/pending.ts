import { hex } from "../crypto/bytes.ts";
import { sha256 } from "../crypto/digest.ts";
import { Failure } from "../failure.ts";
import { pendingRosterPath } from "../formats/paths.ts";
import { decodeRoster, maxRosterSize, type Roster } from "../formats/records/roster.ts";
import type { SignerKey } from "../formats/sshsig/public-key.ts";
import { requireCluster, type VerifiedRoster } from "../trust/roster.ts";
import { signersOf } from "../trust/signed.ts";
import type { Cluster, Read } from "./cluster.ts";
import { readSigned } from "./generations.ts";

/**
 * A roster that waits for signatures. Anybody who can write to the source may have put it there:
 * it is for showing to root, and nothing is taken from it before root has signed.
 */
export interface PendingRoster {
  readonly folder: string;
  readonly roster: Roster;
  readonly bytes: Uint8Array;
  /** The signatures that verify, by whatever key. */
  readonly signatures: ReadonlyMap<SignerKey, Uint8Array>;
}

/**
 * The roster that would come after `current`, if one waits for signatures.
 *
 * @throws Failure `roster/malformed`, `cluster/mismatch` if what waits can't come after `current`
 */
export async function readPendingRoster(
  { source, trusted }: Cluster,
  current: Read<VerifiedRoster> | undefined,
): Promise<PendingRoster | undefined> {
  const generation = (current?.record.generation ?? 0) + 1;
  const folder = pendingRosterPath(generation);
  const signed = await readSigned(source, folder, "roster", maxRosterSize, trusted.roots);
  if (signed === undefined) return undefined;
  const { bytes } = signed;
  const place = source.place(folder);
  const roster = decodeRoster(bytes);
  requireCluster(roster.cluster, trusted.cluster, place);
  const previous = current === undefined ? null : hex(sha256(current.bytes));
  if (roster.generation !== generation || roster.previous !== previous) {
    throw new Failure(
      "roster/malformed",
      `${place} is no roster to come after ${current === undefined ? "none" : String(current.record.generation)}`,
      "remove the folder, and make the change anew",
    );
  }
  // One that doesn't verify is left out: the key that should have made it can sign again.
  return { folder, roster, bytes, signatures: signersOf(signed, "roster").armoured };
}
