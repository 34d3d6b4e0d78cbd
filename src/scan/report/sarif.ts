import type { Location, Log, Notification, ReportingDescriptor, Result } from "sarif";
import type { Finding, ScanReport } from "./report.ts";
import { compareFindings, packageOf } from "./order.ts";
import { fileUrl, remedyOf } from "./names.ts";
import { summaryOf, whoseLine } from "./summary.ts";

/** How many ways to a package one result shows; what shows such files shows few. */
const mostWays = 10;

const levels = {
  critical: "error",
  high: "error",
  unknown: "error",
  medium: "warning",
  low: "note",
  none: "note",
} as const satisfies Record<Finding["severity"]["rating"], Result.level>;

/** Only what fails has a level (SARIF 2.1.0 §3.27.9, §3.27.10). What is ignored fails, and is suppressed. */
const kinds = {
  vulnerable: "fail",
  ignored: "fail",
  possible: "review",
  unknown: "open",
  patched: "pass",
} as const satisfies Record<Finding["verdict"], Result.kind>;

/**
 * A report as SARIF 2.1.0 has it, for what shows results of analyses: a rule an advisory, a result a
 * finding, a code flow each way from what keeps a package down to it. A node that nothing is known
 * of, or a cache that didn't answer, is a notification, and the run wasn't successful then (§3.20.14).
 *
 * @param version - of this program
 */
export function sarifOf(report: ScanReport, version: string): Log {
  const findings = [...report.findings].sort(compareFindings);
  const rules = new Map<string, ReportingDescriptor>();
  for (const finding of findings)
    if (!rules.has(finding.advisory)) rules.set(finding.advisory, ruleOf(finding));
  const unknown = report.nodes.flatMap(({ name, state, reason }): Notification | [] =>
    state === "known"
      ? []
      : { level: "error", message: { text: `nothing is known of ${name}: ${reason ?? ""}` } },
  );
  for (const { name, state, reason } of report.publishers.caches) {
    if (state === "known") continue;
    const text = `what publishers say in ${name} is unknown: ${reason ?? ""}`;
    unknown.push({ level: "error", message: { text } });
  }
  const places = new Map([...rules.keys()].map((id, at) => [id, at]));
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "Sealaunch", version, rules: [...rules.values()] } },
        invocations: [
          {
            executionSuccessful: unknown.length === 0,
            endTimeUtc: new Date(report.made).toISOString(),
            toolExecutionNotifications: unknown,
          },
        ],
        results: findings.map((finding) => resultOf(finding, places.get(finding.advisory) ?? -1)),
      },
    ],
  };
}

function ruleOf({ advisory, aliases, summary, severity }: Finding): ReportingDescriptor {
  return {
    id: advisory,
    shortDescription: { text: summary === "" ? advisory : summary },
    ...(aliases.length === 0
      ? {}
      : { fullDescription: { text: [summary, ...aliases].join("\n") } }),
    properties: {
      tags: ["security"],
      // Where a number stands, what shows such files sorts by it.
      ...(severity.score === undefined ? {} : { "security-severity": severity.score.toFixed(1) }),
    },
  };
}

function resultOf(finding: Finding, ruleIndex: number): Result {
  const { advisory, name, version, verdict, severity, reason, uses } = finding;
  const kind = kinds[verdict];
  const said = `${packageOf(finding)}: ${whoseLine(summaryOf([finding]))}`;
  return {
    ruleId: advisory,
    ruleIndex,
    kind,
    level: kind === "fail" ? levels[severity.rating] : "none",
    message: { text: `${said}; ${verdict}: ${reason}; ${remedyOf(finding)}` },
    locations: finding.paths.map((path) => locationOf(path)),
    codeFlows: waysOf(finding).map(({ keeper, through }) => ({
      message: { text: `kept by ${keeper}` },
      threadFlows: [{ locations: through.map((path) => ({ location: locationOf(path) })) }],
    })),
    ...(verdict === "ignored"
      ? { suppressions: [{ kind: "external", status: "accepted", justification: reason }] }
      : {}),
    partialFingerprints: { "finding/v1": [advisory, name, version ?? ""].join(" ") },
    properties: {
      nodes: [...new Set(uses.map(({ node }) => node))],
      services: [...new Set(uses.flatMap(({ service, unit }) => service ?? unit ?? []))],
      owners: [...new Set(uses.flatMap(({ owner }) => owner ?? []))],
    },
  };
}

function locationOf(path: string): Location {
  return { physicalLocation: { artifactLocation: { uri: fileUrl(path) } } };
}

/** The ways to a finding, each once, whichever nodes have it. */
function waysOf({ uses }: Finding): readonly { keeper: string; through: readonly string[] }[] {
  const ways = new Map(
    uses
      .filter(({ through }) => through.length > 0)
      .map(({ unit, root, through }) => {
        const keeper = unit === undefined ? root : `${unit} (${root})`;
        return [JSON.stringify([keeper, through]), { keeper, through }] as const;
      }),
  );
  return [...ways.values()].slice(0, mostWays);
}
