import type { Failure } from "../../failure.ts";
import type { Context } from "../context.ts";

/** What `sync --watch` says: what is wrong once, however often it is tried, and when nothing is any more. */
export interface Telling {
  /** How a pass ended. */
  ended(failures: readonly Failure[]): void;
  /** That the source tells of changes. */
  hears(): void;
  /** That it doesn't, and why. */
  hearsNothing(source: string, failure: Failure): void;
}

/** Nothing was wrong yet. */
export function createTelling(context: Context): Telling {
  let before = new Set<string>();
  let deaf: string | undefined;
  return {
    ended: (failures) => {
      const now = new Map(failures.map((failure) => [sameness(failure), failure]));
      for (const [what, { code, message, hint }] of now) {
        if (!before.has(what)) context.warn(`${code}: ${message}; ${hint}`);
      }
      if (now.size === 0 && before.size > 0) context.print("the mirror is up to date again");
      if (now.size === 0) deaf = undefined;
      before = new Set(now.keys());
    },
    hears: () => {
      deaf = undefined;
    },
    hearsNothing: (source, failure) => {
      const what = sameness(failure);
      if (what === deaf) return;
      deaf = what;
      const { code, message, hint } = failure;
      context.warn(`${code}: hears nothing of ${source}: ${message}; ${hint}`);
    },
  };
}

/** The same for what differs only by the time at which it was found. */
const sameness = ({ code, message }: Failure): string =>
  `${code} ${message.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/gu, "")}`;
