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

/** Clocks of machines that work together differ by less. */
const clockDifference = 5 * 60 * 1000;

/**
 * That this machine's clock is before the time at which something was signed, so that by it nothing
 * would look stale or expired; undefined if it isn't, as far as clocks agree.
 *
 * @param said - such as `bundle dns 3 was signed`
 * @param time - as records write it
 */
export function clockFailure(said: string, time: string, now: Date): Failure | undefined {
  if (Date.parse(time) <= now.getTime() + clockDifference) return undefined;
  return new Failure("clock/behind", `${said} ${time}, and here it is ${now.toISOString()}`);
}

/**
 * Why nothing should be sealed or encrypted by a record: `clock/behind` where its age can't be told,
 * `roster/stale`; undefined while it is fresh.
 *
 * @param what - names the record: `roster 3`, `pool file web 2`
 */
export function ageFailure(record: Dated, what: string, now: Date): Failure | undefined {
  const { issued, staleAfter: end } = record;
  const behind = clockFailure(`${what} was issued`, issued, now);
  if (behind !== undefined || !isStale(record, now)) return behind;
  return new Failure(
    "roster/stale",
    `${what}, issued ${issued}, is stale since ${end}; now is ${now.toISOString()}`,
  );
}

/**
 * Returns if a record is fresh, so that what is sealed or encrypted by it is for who it says.
 *
 * @throws Failure `roster/stale`, `clock/behind`
 */
export function requireFresh(record: Dated, what: string, now: Date): void {
  const failure = ageFailure(record, what, now);
  if (failure !== undefined) throw failure;
}
