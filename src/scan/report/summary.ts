import type { Finding, ScanReport } from "./report.ts";
import { compareFindings, packageOf, sorted } from "./order.ts";
import { compareVersions } from "../version.ts";

/** All that is said of one version of one package with one verdict: what people ask first. */
export interface PackageSummary {
  readonly name: string;
  readonly version: string | undefined;
  /** The worst first; all with the same verdict. */
  readonly findings: readonly [Finding, ...Finding[]];
  /** Services, and units that are no service of ours. */
  readonly services: readonly string[];
  readonly nodes: readonly string[];
  readonly owners: readonly string[];
  /** The version that mends every one of them; undefined where one has none. */
  readonly fixedIn: string | undefined;
  /** Of them, how many are mended in a known version. */
  readonly fixable: number;
  /** Units that still run what their unit file no longer names, counted on each node. */
  readonly restartOwed: number;
  /** Units that run what is gone from disk. */
  readonly mapped: number;
}

/**
 * Packages of which something is said that may be vulnerable, the worst first. What is patched or
 * ignored is in none.
 */
export function packageSummaries(report: ScanReport): readonly PackageSummary[] {
  const groups = new Map<string, [Finding, ...Finding[]]>();
  for (const finding of [...report.findings].sort(compareFindings)) {
    if (finding.verdict === "patched" || finding.verdict === "ignored") continue;
    const key = JSON.stringify([finding.verdict, finding.name, finding.version]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [finding]);
    else group.push(finding);
  }
  return [...groups.values()].map(summaryOf);
}

/** What is said of findings that have one package, version and verdict. */
export function summaryOf(findings: readonly [Finding, ...Finding[]]): PackageSummary {
  const uses = findings.flatMap((finding) => finding.uses);
  const fixes = findings.flatMap(({ fixedIn }) => fixedIn ?? []).sort(compareVersions);
  const counted = (running: string): number =>
    new Set(
      uses
        .filter((use) => use.running === running)
        .map((use) => JSON.stringify([use.node, use.unit ?? use.root])),
    ).size;
  const [{ name, version }] = findings;
  return {
    name,
    version,
    findings,
    services: sorted(uses.flatMap(({ service, unit }) => service ?? unit ?? [])),
    nodes: sorted(uses.map(({ node }) => node)),
    owners: sorted(uses.flatMap(({ owner }) => owner ?? [])),
    fixedIn: fixes.length === findings.length ? fixes.at(-1) : undefined,
    fixable: fixes.length,
    restartOwed: counted("restart owed"),
    mapped: counted("deleted but mapped"),
  };
}

/** `1 node`, `2 nodes`; `3 services`. */
export function counted(number: number, thing: string): string {
  return `${String(number)} ${thing}${number === 1 ? "" : "s"}`;
}

/**
 * One line: "openssl 3.0.7: 4 services, 61 nodes, owners dns-team, web; fixed in 3.0.8; rolled out
 * but not restarted: 12".
 */
export function summaryLine(summary: PackageSummary): string {
  const [{ verdict }] = summary.findings;
  const doubt =
    verdict === "possible" ? " (possibly)" : verdict === "unknown" ? " (can't be told)" : "";
  return `${packageOf(summary)}${doubt}: ${whoseLine(summary)}`;
}

/** "4 services, 61 nodes, owners dns-team, web; fixed in 3.0.8; rolled out but not restarted: 12". */
export function whoseLine(summary: PackageSummary): string {
  const { findings, services, nodes, owners, fixedIn, fixable, restartOwed, mapped } = summary;
  const users =
    nodes.length === 0
      ? "used by nothing that is known"
      : [
          services.length === 0 ? "no service that is known" : counted(services.length, "service"),
          counted(nodes.length, "node"),
          owners.length === 0
            ? "no owner named"
            : `${owners.length === 1 ? "owner" : "owners"} ${owners.join(", ")}`,
        ].join(", ");
  const fixed =
    fixedIn !== undefined
      ? `fixed in ${fixedIn}`
      : fixable > 0
        ? `${String(fixable)} of ${String(findings.length)} fixed in a later version`
        : "no version is known to mend it";
  return [
    users,
    fixed,
    ...(restartOwed > 0 ? [`rolled out but not restarted: ${String(restartOwed)}`] : []),
    ...(mapped > 0 ? [`deleted but still mapped: ${String(mapped)}`] : []),
  ].join("; ");
}
