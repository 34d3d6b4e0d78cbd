import { text } from "./json.ts";
import { type Range } from "./ranges.ts";
import { compareVersions } from "../version.ts";

type Event = readonly ["introduced" | "fixed" | "last_affected", string];

/** Below every version: OSV's `introduced: "0"`. */
function order([kind, one]: Event, [otherKind, other]: Event): number {
  if (one === "0" || other === "0") return Number(other === "0") - Number(one === "0");
  // At one version: what ends there ends before what begins there; last_affected holds it still.
  const rank = { fixed: 0, introduced: 1, last_affected: 2 };
  return compareVersions(one, other) || rank[kind] - rank[otherKind];
}

/**
 * The ranges that the events of one of OSV's ranges describe, in any order
 * (https://ossf.github.io/osv-schema/#affectedrangesevents-fields): `introduced` begins one, `fixed`
 * ends it before that version, `last_affected` with it; none goes beyond the highest `limit`.
 */
export function rangesOfEvents(
  events: readonly Readonly<Record<string, unknown>>[],
): readonly Range[] {
  const kinds = ["introduced", "fixed", "last_affected"] as const;
  const sorted = events
    .flatMap((event) =>
      kinds.flatMap((kind): readonly Event[] => {
        // The lowest of all that come before a release, in semantic versions.
        const version = text(event[kind], 128)?.replace(/-0$/, "~0");
        return version === undefined ? [] : [[kind, version]];
      }),
    )
    .sort(order);
  const limits = events.flatMap(({ limit }) => text(limit, 128) ?? []);
  const limit = limits.includes("*") ? undefined : limits.sort(compareVersions).at(-1);
  const ranges: Range[] = [];
  let open: string | undefined;
  const close = (to: string | undefined, isToIncluded: boolean): void => {
    if (open === undefined) return;
    const from = open === "0" ? undefined : open;
    open = undefined;
    if (limit !== undefined && from !== undefined && compareVersions(from, limit) >= 0) return;
    const isCut = limit !== undefined && (to === undefined || compareVersions(to, limit) >= 0);
    ranges.push({
      from,
      isFromIncluded: true,
      to: isCut ? limit : to,
      isToIncluded: isCut ? false : isToIncluded,
    });
  };
  for (const [kind, version] of sorted) {
    if (kind === "introduced") open ??= version;
    else close(version, kind === "last_affected");
  }
  close(undefined, false);
  return ranges;
}
