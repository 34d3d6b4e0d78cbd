import * as z from "zod/mini";
import { parseRecipient, type Recipient } from "../crypto/recipient.ts";
import { nameKinds, type NameKind } from "./names.ts";
import { isSignerKey, type SignerKey } from "./sshsig/public-key.ts";

// The kinds of field that records are made of (docs/bundle-format.md §2).

const fits = <T>(is: (text: string) => boolean, message: string): z.ZodMiniType<T, T> =>
  z.string().check(z.refine(is, message)) as unknown as z.ZodMiniType<T, T>;

/** 32 hex digits: the random name of a cluster. */
export const clusterField = fits<string>(
  (text) => /^[0-9a-f]{32}$/u.test(text),
  "is not 32 hex digits",
);

/** 64 hex digits of a SHA-256. */
export const hashField = fits<string>(
  (text) => /^[0-9a-f]{64}$/u.test(text),
  "is not 64 hex digits",
);

/** A time in UTC to the second: `2026-11-25T12:00:00Z`. */
export const timeField = fits<string>(isTime, "is not a time such as 2026-11-25T12:00:00Z");

function isTime(text: string): boolean {
  const milliseconds = Date.parse(text);
  return (
    /^\d{4}-/u.test(text) &&
    Number.isFinite(milliseconds) &&
    formatTime(new Date(milliseconds)) === text
  );
}

/** A time as records write it, to the second. */
export function formatTime(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

/** A number from `least` to 2^48: exact in every JSON reader. */
export function countField(least: number): z.ZodMiniType<number, number> {
  return z
    .int()
    .check(
      z.refine(
        (count) => count >= least && count <= 2 ** 48,
        `is not a number from ${String(least)} to 2^48`,
      ),
    );
}

export const recipientField = fits<Recipient>(
  (text) => parseRecipient(text) !== undefined,
  "is no recipient age1pq1…",
);

export const signerKeyField = fits<SignerKey>(
  isSignerKey,
  "is no ssh-ed25519 or sk-ssh-ed25519 public key",
);

/** A name of that kind. */
export const nameField = (kind: NameKind): z.ZodMiniType<string, string> =>
  fits<string>(nameKinds[kind].is, `is no ${kind} name`);

/** A list in rising order of `by`, without doubles, of at least `least` items. */
export function sortedList<T>(
  item: z.ZodMiniType<T, T>,
  by: (item: T) => string,
  least = 0,
): z.ZodMiniType<T[], T[]> {
  return z.array(item).check(
    z.refine((items) => items.length >= least, `has fewer than ${String(least)} items`),
    z.refine(
      (items) =>
        items.every((value, index) => index === 0 || by(items[index - 1] as T) < by(value)),
      "is not in rising order, or has doubles",
    ),
  );
}

/** A bundle is for at most this many pools, so that the binding fits its payload. */
const maxAudience = 64;

/** The pools that a bundle is for. */
export const audienceField = sortedList(nameField("pool"), (pool) => pool, 1).check(
  z.refine((pools) => pools.length <= maxAudience, `has more than ${String(maxAudience)} pools`),
);

/** A check of an object: it has both of two fields that may be left out, or neither. */
export function goTogether<One extends string, Other extends string>(
  one: One,
  other: Other,
): z.core.$ZodCheck<Readonly<Partial<Record<One | Other, unknown>>>> {
  return z.refine(
    (fields) => (fields[one] === undefined) === (fields[other] === undefined),
    `${one} and ${other} go together`,
  );
}
