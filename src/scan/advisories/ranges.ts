import { compareVersions, snapshotOf } from "../version.ts";

/** Versions from one bound to another. */
export interface Range {
  /** The lowest version; undefined: from the first. */
  readonly from: string | undefined;
  readonly isFromIncluded: boolean;
  /** The highest; undefined: without end. */
  readonly to: string | undefined;
  readonly isToIncluded: boolean;
  /** Builds and patch levels of the highest are not in it. */
  readonly isBare?: true;
}

/** Whether something is so, and a line about it: why, or why it can't be told. */
export interface Answer {
  readonly is: "yes" | "no" | "maybe";
  readonly because: string;
}

/** As a reason says it: `3.0.0 <= version < 3.0.8`. */
export function rangeText({ from, isFromIncluded, to, isToIncluded }: Range): string {
  if (from === undefined && to === undefined) return "every version";
  if (from === to && isFromIncluded && isToIncluded) return `version ${from ?? ""}`;
  const low = from === undefined ? "" : `${from} ${isFromIncluded ? "<=" : "<"} `;
  const high = to === undefined ? "" : ` ${isToIncluded ? "<=" : "<"} ${to}`;
  return `${low}version${high}`;
}

/** `version` alone. */
export function only(version: string): Range {
  return { from: version, isFromIncluded: true, to: version, isToIncluded: true };
}

/** Whether `version` is `release` and a build or patch level of it, which the advisory may not know. */
function isBuildOf(version: string, release: string): boolean {
  const rest = version.slice(release.length);
  return version.startsWith(release) && /^(?:[-+][0-9]|[-.]?p[0-9])/.test(rest);
}

/** Whether `version` lies in `range`. Only maybe where a snapshot, or a build, may hold the fix. */
function isWithin(version: string, range: Range): Answer {
  const { from, isFromIncluded, to, isToIncluded } = range;
  const text = rangeText(range);
  const low = from === undefined ? 1 : compareVersions(version, from);
  const high = to === undefined ? -1 : compareVersions(version, to);
  if (to !== undefined && isToIncluded && range.isBare !== true && isBuildOf(version, to))
    return { is: "maybe", because: `${text}; ${version} is a build or patch level of ${to}` };
  const snapshot = snapshotOf(version);
  if (snapshot !== undefined && snapshot.base === undefined && (from ?? to) !== undefined)
    return {
      is: "maybe",
      because: `${text}; the version is a snapshot's, which follows no release`,
    };
  const isIn =
    (low > 0 || (low === 0 && isFromIncluded)) && (high < 0 || (high === 0 && isToIncluded));
  if (!isIn) return { is: "no", because: text };
  if (snapshot !== undefined && to !== undefined)
    return {
      is: "maybe",
      because: `${text}; a snapshot after ${snapshot.base ?? ""} may hold the fix`,
    };
  return { is: "yes", because: text };
}

/** Whether `version` lies in any of `ranges`: yes before maybe, each with the first that says so. */
export function isWithinAny(version: string, ranges: readonly Range[]): Answer & { range?: Range } {
  let perhaps: (Answer & { range: Range }) | undefined;
  for (const range of ranges) {
    const answer = isWithin(version, range);
    if (answer.is === "yes") return { ...answer, range };
    if (answer.is === "maybe") perhaps ??= { ...answer, range };
  }
  return perhaps ?? { is: "no", because: "in no range" };
}
