import { Failure } from "../failure.ts";
import { formatTime } from "../formats/fields.ts";

const day = 24 * 60 * 60 * 1000;

/**
 * The time that an `--expires` names, as records write it; null for `never`.
 *
 * @param text - `90d`, a date or time of ISO 8601 in UTC, or `never`
 * @throws Failure `usage/invalid` if it is none of these, or over already
 */
export function parseExpiry(text: string, now: Date): string | null {
  if (text === "never") return null;
  const days = /^([1-9][0-9]{0,4})d$/u.exec(text)?.[1];
  const time = days === undefined ? Date.parse(text) : now.getTime() + Number(days) * day;
  if ((days === undefined && !isTime(text)) || !Number.isFinite(time)) {
    throw new Failure(
      "usage/invalid",
      `${JSON.stringify(text)} is no time`,
      "say 90d, 2027-01-31, 2027-01-31T12:00:00Z or never",
    );
  }
  if (time <= now.getTime()) {
    throw new Failure("usage/invalid", `${text} is over: now is ${formatTime(now)}`);
  }
  return formatTime(new Date(time));
}

/**
 * The time that an option names, as records write it.
 *
 * @param text - a date or time of ISO 8601 in UTC, or `now`
 * @throws Failure `usage/invalid`
 */
export function parseMoment(text: string, now: Date): string {
  const time = text === "now" ? now.getTime() : isTime(text) ? Date.parse(text) : NaN;
  if (Number.isFinite(time)) return formatTime(new Date(time));
  throw new Failure(
    "usage/invalid",
    `${JSON.stringify(text)} is no time`,
    "say 2027-01-31, 2027-01-31T12:00:00Z or now",
  );
}

const isTime = (text: string): boolean => /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?$/u.test(text);

/**
 * The milliseconds that a `--within` or `--older-than` names.
 *
 * @param text - a number of days, `30d`
 * @throws Failure `usage/invalid`
 */
export function parseDays(text: string): number {
  const days = /^(0|[1-9][0-9]{0,4})d$/u.exec(text)?.[1];
  if (days !== undefined) return Number(days) * day;
  throw new Failure("usage/invalid", `${JSON.stringify(text)} is no number of days`, "say 30d");
}
