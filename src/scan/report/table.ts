import type { Finding, ScanReport } from "./report.ts";
import { compareFindings, packageOf, sorted, userOf, verdicts } from "./order.ts";
import { publisherDoubts, publisherLine } from "./publishers.ts";
import { counted, packageSummaries, summaryLine } from "./summary.ts";

/** A report for eyes: lines, a table, lines. */
export interface ReportTable {
  /** What nobody may overlook, first: nodes that nothing is known of, data that is too old. */
  readonly before: readonly string[];
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Package by package, what people ask; and last what was looked at. */
  readonly after: readonly string[];
}

/** What people read of a report at a terminal. */
export function reportTable(report: ScanReport): ReportTable {
  const findings = [...report.findings].sort(compareFindings);
  return {
    before: [...unknownNodes(report), ...doubtfulData(report), ...publisherDoubts(report)],
    head: ["severity", "verdict", "package", "advisory", "fixed in", "services", "nodes", "why"],
    rows: findings.map(rowOf),
    after: [
      ...packageSummaries(report).map(summaryLine),
      ...publisherLine(report),
      lookedAt(report),
    ],
  };
}

function unknownNodes({ nodes }: ScanReport): readonly string[] {
  const unknown = nodes.filter(({ state }) => state === "unknown");
  if (unknown.length === 0) return [];
  return [
    `unknown: ${String(unknown.length)} of ${counted(nodes.length, "node")}; nothing below speaks of them`,
    ...unknown.map(({ name, reason }) => `  ${name}: ${reason ?? "no reason is known"}`),
  ];
}

function doubtfulData({ advisories }: ScanReport): readonly string[] {
  const { ageDays, stale, skipped } = advisories;
  const age =
    ageDays === undefined ? "of unknown age" : `${counted(Math.floor(ageDays), "day")} old`;
  return [
    ...(stale ? [`stale: the newest advisory is ${age}; what came since is in none of this`] : []),
    ...(skipped > 0 ? [`skipped: ${counted(skipped, "record")} that couldn't be read`] : []),
  ];
}

function rowOf(finding: Finding): readonly string[] {
  const { score, rating } = finding.severity;
  const nodes = new Set(finding.uses.map(({ node }) => node));
  return [
    score === undefined ? rating : `${rating} ${score.toFixed(1)}`,
    finding.disputed ? `${finding.verdict}, disputed` : finding.verdict,
    packageOf(finding),
    finding.advisory,
    finding.fixedIn ?? "",
    few(sorted(finding.uses.map(userOf))),
    String(nodes.size),
    finding.reason,
  ];
}

/** Two of them by name, the others as a number: a row stays a line. */
function few(names: readonly string[]): string {
  if (names.length <= 3) return names.join(", ");
  return `${names.slice(0, 2).join(", ")} and ${String(names.length - 2)} more`;
}

function lookedAt({ findings, nodes, advisories }: ScanReport): string {
  const known = nodes.filter(({ state }) => state === "known").length;
  const counts = verdicts.flatMap((verdict) => {
    const number = findings.filter((finding) => finding.verdict === verdict).length;
    return number === 0 ? [] : [`${String(number)} ${verdict}`];
  });
  const newest =
    advisories.newest === undefined ? "" : `, the newest of ${advisories.newest.slice(0, 10)}`;
  const read = `${String(advisories.count)} ${advisories.count === 1 ? "advisory" : "advisories"}${newest}`;
  return (
    `${counts.length === 0 ? "nothing found" : counts.join(", ")}: ` +
    `${counted(known, "node")} of ${String(nodes.length)} known` +
    // Where only packages were asked for, there are none.
    (advisories.files.length === 0 ? "" : `, ${read}`)
  );
}
