import { Failure } from "../failure.ts";
import type { Statement, StatementCredential } from "../formats/records/statement.ts";
import type { VerifiedPool } from "./pool.ts";
import type { VerifiedStatement } from "./statement.ts";

/** A value that somebody could read who is no member any more, and that wasn't replaced since. */
export interface OwedValue {
  readonly bundle: string;
  readonly credential: string;
  readonly pool: string;
  /** The epoch that it was sealed in. */
  readonly sealedIn: number;
  /** The pool's epoch, which began when somebody was shut out. */
  readonly current: number;
}

/**
 * The values of a statement that were sealed before one of its pools began its current epoch. Told
 * from signed facts alone: a header for the new epoch lets the members read on, and takes nothing
 * back from whoever could read the value.
 *
 * @param statement - one that was verified, today or by what names its hash
 * @param pools - the pool files of the statement's audience, or some of them
 */
export function owedValues(
  { name, credentials }: Statement,
  pools: readonly VerifiedPool[],
): OwedValue[] {
  return credentials.flatMap(({ name: credential, epochs }) =>
    pools.flatMap(({ pool, current: { epoch: current } }) => {
      const sealedIn = epochs.find((sealed) => sealed.pool === pool)?.epoch;
      if (sealedIn === undefined || sealedIn >= current) return [];
      return [{ bundle: name, credential, pool, sealedIn, current }];
    }),
  );
}

/**
 * Returns if no pool file is of an earlier epoch than the one that a value was sealed in.
 *
 * Such a pool file is older than what the signer saw: somebody whom he no longer meant could open its
 * epoch, and a source that holds the newer one back would have him given the value.
 *
 * @throws Failure `mark/rolled-back`
 */
export function requireNoEarlierEpoch(
  { name: bundle }: VerifiedStatement,
  { name, epochs }: StatementCredential,
  pools: readonly VerifiedPool[],
): void {
  for (const { pool, generation, current } of pools) {
    const sealedIn = epochs.find((sealed) => sealed.pool === pool)?.epoch ?? 0;
    if (sealedIn <= current.epoch) continue;
    throw new Failure(
      "mark/rolled-back",
      `pool file ${pool} ${String(generation)} is of epoch ${String(current.epoch)}, and credential ${name} of ${bundle} was sealed in epoch ${String(sealedIn)}`,
    );
  }
}
