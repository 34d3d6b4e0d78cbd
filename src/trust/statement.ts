import { Failure } from "../failure.ts";
import { scopeHolds, unitMatches } from "../formats/names.ts";
import { decodeStatement, type Statement } from "../formats/records/statement.ts";
import type { RosterSigner } from "../formats/records/roster.ts";
import { fingerprint } from "../formats/sshsig/public-key.ts";
import { requireCluster, rosterName, type VerifiedRoster } from "./roster.ts";
import { requireSigners, type Signers } from "./signed.ts";

declare const verified: unique symbol;
/** A statement that a signer of its name has signed. Made only by {@link judgeStatement}. */
export type VerifiedStatement = Statement & { readonly [verified]: true };

/** A verified statement, and who of those entitled to its name today has signed it. */
export interface JudgedStatement {
  readonly statement: VerifiedStatement;
  readonly signers: readonly RosterSigner[];
}

/** Where a statement was found: what it has to call itself. */
export interface StatementPlace {
  readonly bundle: string;
  readonly series: number;
  readonly generation: number;
}

/** Whether a signer may sign a bundle's name at `now`. */
export function maySign(signer: RosterSigner, bundle: string, now: Date): boolean {
  return !isExpired(signer.expires, now) && signer.names.some((scope) => scopeHolds(scope, bundle));
}

/** Whether a time, if there is one, is over at `now`. */
export function isExpired(time: string | null, now: Date): boolean {
  return time !== null && Date.parse(time) <= now.getTime();
}

/**
 * The statement that `bytes` spell, signed by somebody whom the roster allows the name today, and
 * which calls itself what it was found as.
 *
 * @param signers - whose signatures over `bytes` verify
 * @throws Failure `signature/…`, `signer/not-allowed`, `signer/expired`, `statement/malformed`,
 *   `cluster/mismatch`, `bundle/wrong-name`
 */
export function judgeStatement(
  bytes: Uint8Array,
  signers: Signers,
  roster: VerifiedRoster,
  place: StatementPlace,
  now: Date,
): JudgedStatement {
  const what = `bundle ${place.bundle} ${describeGeneration(place)}`;
  const known = roster.signers.filter(({ signer }) => signers.signers.includes(signer));
  const allowed = known.filter((signer) => maySign(signer, place.bundle, now));
  if (allowed.length === 0) {
    refuseSigners(known, place.bundle, what);
    requireSigners(
      signers,
      roster.signers.map(({ signer }) => signer),
      1,
      what,
    );
  }
  const statement = decodeStatement(bytes);
  requireCluster(statement.cluster, roster.cluster, what);
  if (
    statement.name !== place.bundle ||
    statement.series !== place.series ||
    statement.generation !== place.generation
  ) {
    throw new Failure(
      "bundle/wrong-name",
      `${what} calls itself ${statement.name} ${describeGeneration(statement)}`,
    );
  }
  return { statement: statement as VerifiedStatement, signers: allowed };
}

function refuseSigners(known: readonly RosterSigner[], bundle: string, what: string): void {
  for (const { name, signer, names, expires } of known) {
    if (!names.some((scope) => scopeHolds(scope, bundle))) {
      throw new Failure(
        "signer/not-allowed",
        `${what} is signed by ${name} (${fingerprint(signer)}), who may sign ${names.join(", ")}`,
      );
    }
    throw new Failure(
      "signer/expired",
      `${what} is signed by ${name} (${fingerprint(signer)}), whose time ended ${String(expires)}`,
    );
  }
}

/** A generation for human eyes: the series only where there has been more than one. */
export function describeGeneration(place: { series: number; generation: number }): string {
  return place.series === 0
    ? String(place.generation)
    : `${String(place.series)}.${String(place.generation)}`;
}

/** Who asks for a bundle, and how. */
export interface Asking {
  /** The unit's name, where one is known. */
  readonly unit: string | undefined;
  readonly inPlace: boolean;
  /** The least generation that the command accepts. */
  readonly floor: number;
}

/** Whether a roster puts a generation of a bundle out of use, wherever it lies. */
export function isOutOfUse(
  place: { readonly series: number; readonly generation: number },
  roster: VerifiedRoster,
  bundle: string,
): boolean {
  const { series, minimum } = rosterName(roster, bundle);
  return place.series !== series || place.generation < minimum;
}

/**
 * Returns if a start may have the bundle's credentials now.
 *
 * @throws Failure `bundle/expired`, `bundle/below-minimum`, `bundle/below-floor`,
 *   `bundle/not-in-place`, `bundle/wrong-unit`
 */
export function judgeStart(
  statement: VerifiedStatement,
  roster: VerifiedRoster,
  asking: Asking,
  now: Date,
): void {
  const what = `bundle ${statement.name} ${describeGeneration(statement)}`;
  if (isExpired(statement.expires, now)) {
    throw new Failure(
      "bundle/expired",
      `${what} expired ${String(statement.expires)}, now is ${now.toISOString()}`,
    );
  }
  if (isOutOfUse(statement, roster, statement.name)) {
    const { series, minimum } = rosterName(roster, statement.name);
    throw new Failure(
      "bundle/below-minimum",
      `${what} is out of use: the roster asks for series ${String(series)} from ${String(minimum)}`,
    );
  }
  if (statement.generation < asking.floor) {
    throw new Failure(
      "bundle/below-floor",
      `${what} is below the floor ${String(asking.floor)} of the command`,
    );
  }
  if (asking.inPlace && !statement.inPlace) {
    throw new Failure("bundle/not-in-place", `${what} may not be opened in place`);
  }
  judgeUnit(statement, asking, what);
}

function judgeUnit(statement: VerifiedStatement, asking: Asking, what: string): void {
  const { unit } = asking;
  // In place a unit's name is only what the command says, so that it can narrow but not widen:
  // who may open in place needs none.
  if (
    unit === undefined ? asking.inPlace : statement.units.some((name) => unitMatches(name, unit))
  ) {
    return;
  }
  throw new Failure(
    "bundle/wrong-unit",
    `${what} is for ${statement.units.length === 0 ? "no unit" : statement.units.join(", ")}, ${unit ?? "no unit"} asks`,
    unit === undefined ? undefined : `sealaunch seal ${statement.name} --unit ${unit}`,
  );
}
