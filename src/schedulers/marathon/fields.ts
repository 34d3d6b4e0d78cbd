import { isDeepStrictEqual } from "node:util";
import { decodeMarathonFields } from "../../formats/schedulers/marathon.ts";
import type { WrittenApp } from "./api.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Whether what is written of an app is so in Marathon, which adds what it presets. @param bytes - its answer */
export function isAsWritten(app: WrittenApp, bytes: Uint8Array): boolean {
  const found = decodeMarathonFields(bytes);
  return Object.entries(app).every(([name, value]) => isSame(name, value, found));
}

/**
 * What an app has of the fields that are written, and what it is to have, as text to compare.
 *
 * @param bytes - Marathon's answer; undefined if it has no such app
 */
export function textsOf(
  app: WrittenApp,
  bytes: Uint8Array | undefined,
): { before: string; after: string } {
  const textOf = (fields: Fields): string => `${JSON.stringify(fields, undefined, 2)}\n`;
  const after = textOf(app);
  if (bytes === undefined) return { before: "", after };
  const found = decodeMarathonFields(bytes);
  // What it presets is no difference.
  const before = Object.entries(app).map(([name, value]): [string, unknown] => [
    name,
    isSame(name, value, found) ? value : found[name],
  ]);
  return { before: textOf(Object.fromEntries(before)), after };
}

/** To these Marathon adds nothing. */
const exact = ["env", "labels"];

function isSame(name: string, value: unknown, found: Fields): boolean {
  if (exact.includes(name)) return isDeepStrictEqual(value, found[name] ?? {});
  return isWithin(value, found[name]);
}

/** Whether all of a value is in another, whose objects may have more. */
function isWithin(value: unknown, found: unknown): boolean {
  if (Array.isArray(value)) {
    if (!Array.isArray(found)) return value.length === 0 && found === undefined;
    return value.length === found.length && value.every((one, at) => isWithin(one, found[at]));
  }
  if (typeof value !== "object" || value === null) return isDeepStrictEqual(value, found);
  if (typeof found !== "object" || found === null) return false;
  return Object.entries(value).every(([name, one]) => isWithin(one, (found as Fields)[name]));
}
