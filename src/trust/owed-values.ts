import type { Statement } from "../formats/records/statement.ts";
import type { VerifiedPool } from "./pool.ts";

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
