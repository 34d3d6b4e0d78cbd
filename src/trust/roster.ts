import { Failure } from "../failure.ts";
import { decodeRoster, type Roster, type RosterPool } from "../formats/records/roster.ts";
import type { SignerKey } from "../formats/sshsig/public-key.ts";
import { requireSigners, signersOf, type SignedBytes } from "./signed.ts";

/** What a machine is configured to trust (docs/bundle-format.md §9). */
export interface TrustedRoots {
  /** 32 hex digits. */
  readonly cluster: string;
  readonly roots: readonly SignerKey[];
  readonly threshold: number;
}

declare const verified: unique symbol;
/** A roster that enough root keys have signed. Made only by {@link judgeRoster}. */
export type VerifiedRoster = Roster & { readonly [verified]: true };

/**
 * The roster in `signed`, signed by enough of the roots that are trusted here and by enough of
 * those that it lists itself, so that new roots have to agree before they are relied on.
 *
 * @param generation - the number under which it was found
 * @throws Failure `signature/…`, `roster/malformed`, `cluster/mismatch`
 */
export function judgeRoster(
  signed: SignedBytes,
  trusted: TrustedRoots,
  generation: number,
): VerifiedRoster {
  const what = `roster ${String(generation)}`;
  const signers = signersOf(signed, "roster");
  requireSigners(signers, trusted.roots, trusted.threshold, what);
  const roster = decodeRoster(signed.bytes);
  requireSigners(signers, roster.roots, roster.threshold, what);
  requireCluster(roster.cluster, trusted.cluster, what);
  if (roster.generation !== generation) {
    throw new Failure("roster/malformed", `${what} calls itself ${String(roster.generation)}`);
  }
  return roster as VerifiedRoster;
}

/** What a roster still lacks before anybody relies on it. */
export interface SignaturesOwed {
  /** How many more keys have to sign, at least; 0 if it is complete. */
  readonly count: number;
  /** The keys that can. */
  readonly by: readonly SignerKey[];
}

/** The signatures that {@link judgeRoster} will still ask for, if `signers` have signed. */
export function signaturesOwed(
  roster: Roster,
  trusted: TrustedRoots,
  signers: readonly SignerKey[],
): SignaturesOwed {
  const owed = [trusted, roster].map(({ roots, threshold }) => ({
    count: threshold - roots.filter((root) => signers.includes(root)).length,
    by: roots.filter((root) => !signers.includes(root)),
  }));
  const lacking = owed.filter(({ count }) => count > 0);
  return {
    count: Math.max(0, ...lacking.map(({ count }) => count)),
    by: [...new Set(lacking.flatMap(({ by }) => by))],
  };
}

/** @throws Failure `cluster/mismatch` unless an object is of the cluster that is configured */
export function requireCluster(found: string, configured: string, what: string): void {
  if (found === configured) return;
  throw new Failure("cluster/mismatch", `${what} is of cluster ${found}, this is ${configured}`);
}

/** The pool of that name. @throws Failure `pool/unknown` */
export function rosterPool(roster: VerifiedRoster, pool: string): RosterPool {
  const found = roster.pools.find(({ name }) => name === pool);
  if (found !== undefined) return found;
  const known = roster.pools.map(({ name }) => name).join(", ");
  throw new Failure(
    "pool/unknown",
    `roster ${String(roster.generation)} has no pool ${pool}, only ${known === "" ? "none" : known}`,
  );
}

/** The series and minimum of a bundle's name; both 0 where the roster says nothing (§10). */
export function rosterName(
  roster: VerifiedRoster,
  bundle: string,
): { readonly series: number; readonly minimum: number } {
  return roster.names.find(({ name }) => name === bundle) ?? { series: 0, minimum: 0 };
}
