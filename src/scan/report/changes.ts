import type { Finding, ScanReport, ScannedNode } from "./report.ts";
import { compareFindings, sorted } from "./order.ts";

/** One finding as it was and as it is. */
export interface ChangedFinding {
  readonly before: Finding;
  readonly after: Finding;
}

/** What differs between an earlier report and a later one. */
export interface ReportChanges {
  readonly fresh: readonly Finding[];
  /** No longer there, though every node that had it was looked at. */
  readonly gone: readonly Finding[];
  /** No longer there, but a node that had it is unknown now, or wasn't asked about. */
  readonly unseen: readonly Finding[];
  /** With another verdict. */
  readonly changed: readonly ChangedFinding[];
  /** With the same verdict on nodes that didn't have it. */
  readonly spread: readonly { readonly finding: Finding; readonly nodes: readonly string[] }[];
  /** Known before, and unknown now. */
  readonly lost: readonly ScannedNode[];
  /** Known now, and before unknown or not asked about. */
  readonly learnt: readonly ScannedNode[];
}

const keyOf = ({ advisory, name, version }: Finding): string =>
  JSON.stringify([advisory, name, version]);

function byKey(findings: readonly Finding[]): ReadonlyMap<string, readonly Finding[]> {
  const groups = new Map<string, Finding[]>();
  for (const finding of [...findings].sort(compareFindings)) {
    const group = groups.get(keyOf(finding));
    if (group === undefined) groups.set(keyOf(finding), [finding]);
    else group.push(finding);
  }
  return groups;
}

const nodesOf = ({ uses }: Finding): readonly string[] => sorted(uses.map(({ node }) => node));

/** What changed from `before` to `after`. */
export function changesBetween(before: ScanReport, after: ScanReport): ReportChanges {
  const [old, now] = [byKey(before.findings), byKey(after.findings)];
  const known = new Set(after.nodes.flatMap(({ name, state }) => (state === "known" ? name : [])));
  const wasKnown = new Set(
    before.nodes.flatMap(({ name, state }) => (state === "known" ? name : [])),
  );
  const pairs = sorted([...old.keys(), ...now.keys()]).map((key) =>
    paired(old.get(key) ?? [], now.get(key) ?? []),
  );
  const removed = pairs.flatMap(({ left }) => left).sort(compareFindings);
  const isCertain = (finding: Finding): boolean =>
    nodesOf(finding).every((node) => known.has(node));
  return {
    fresh: pairs.flatMap(({ added }) => added).sort(compareFindings),
    gone: removed.filter(isCertain),
    unseen: removed.filter((finding) => !isCertain(finding)),
    changed: pairs
      .flatMap(({ changed }) => changed)
      .sort((a, b) => compareFindings(a.after, b.after)),
    spread: pairs.flatMap(({ same }) => same).flatMap(spreadOf),
    lost: after.nodes.filter(({ name, state }) => state === "unknown" && wasKnown.has(name)),
    learnt: after.nodes.filter(({ name, state }) => state === "known" && !wasKnown.has(name)),
  };
}

interface Pairs {
  readonly same: readonly ChangedFinding[];
  readonly changed: readonly ChangedFinding[];
  readonly left: readonly Finding[];
  readonly added: readonly Finding[];
}

/**
 * Findings of one advisory and one version of a package, paired: there are several where some of its
 * store paths have a patch and others haven't. Those with the same verdict belong together.
 */
function paired(old: readonly Finding[], now: readonly Finding[]): Pairs {
  const same: ChangedFinding[] = [];
  const left = [...old];
  const added: Finding[] = [];
  for (const after of now) {
    const at = left.findIndex(({ verdict }) => verdict === after.verdict);
    const [before] = at === -1 ? [] : left.splice(at, 1);
    if (before === undefined) added.push(after);
    else same.push({ before, after });
  }
  const changed = Array.from({ length: Math.min(left.length, added.length) }, () => {
    const [before, after] = [left.shift(), added.shift()];
    return before === undefined || after === undefined ? [] : [{ before, after }];
  }).flat();
  return { same, changed, left, added };
}

function spreadOf({ before, after }: ChangedFinding): ReportChanges["spread"] {
  const had = new Set(nodesOf(before));
  const nodes = nodesOf(after).filter((node) => !had.has(node));
  return nodes.length === 0 ? [] : [{ finding: after, nodes }];
}
