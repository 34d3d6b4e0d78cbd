import { Failure } from "../failure.ts";

/** A record that grows stale: the roster, a pool file. */
interface Dated {
  readonly issued: string;
  readonly staleAfter: string;
}

/** Days for which a roster or pool file is fresh, unless whoever signs it says otherwise. */
const freshDays = 90;

const day = 24 * 60 * 60 * 1000;

/** Whether a record is past its stale-after date. */
export function isStale(record: Dated, now: Date): boolean {
  return Date.parse(record.staleAfter) <= now.getTime();
}

/** The stale-after date of a record that is issued at `now`. */
export function staleAfter(now: Date): Date {
  return new Date(now.getTime() + freshDays * day);
}

/** What is said of a stale record: what it is, when it was issued, since when it is stale. */
export function describeStale(record: Dated, what: string): string {
  return `${what}, issued ${record.issued}, is stale since ${record.staleAfter}`;
}

/** What a reader who goes on with a stale record is told; undefined while it is fresh. */
export function warningOfAge(record: Dated, what: string, now: Date): string | undefined {
  if (!isStale(record, now)) return undefined;
  return `${describeStale(record, what)}; now is ${now.toISOString()}`;
}

/**
 * Returns if a record is fresh, so that what is sealed or encrypted by it is for who it says.
 *
 * @throws Failure `roster/stale`
 */
export function requireFresh(record: Dated, what: string, now: Date): void {
  if (isStale(record, now)) throw new Failure("roster/stale", describeStale(record, what));
}
