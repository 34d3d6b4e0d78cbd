import { ComponentType, Vulnerability as Words } from "@cyclonedx/cyclonedx-library/Enums";
import { Bom, Component, Property, Vulnerability } from "@cyclonedx/cyclonedx-library/Models";
import { JSON as Json, JsonSerializer } from "@cyclonedx/cyclonedx-library/Serialize";
import { Spec1dot6 } from "@cyclonedx/cyclonedx-library/Spec";
import type { Finding, ScanReport } from "./report.ts";
import { compareFindings, sorted } from "./order.ts";
import { packageUrl } from "../advisories/purl.ts";
import { remedyOf, reportId } from "./names.ts";
import type { Severity } from "../advisories/severity.ts";
import type { Verdict } from "../judgement.ts";

const { AnalysisState, RatingMethod, Severity: Ratings } = Words;

// Why ignored claims nothing: src/scan/report-openvex.ts.
const states = {
  vulnerable: AnalysisState.Exploitable,
  patched: AnalysisState.Resolved,
  possible: AnalysisState.InTriage,
  ignored: AnalysisState.InTriage,
  unknown: AnalysisState.InTriage,
} as const satisfies Record<Verdict, Words.AnalysisState>;

const ratings = {
  critical: Ratings.Critical,
  high: Ratings.High,
  medium: Ratings.Medium,
  low: Ratings.Low,
  none: Ratings.None,
  unknown: Ratings.Unknown,
} as const satisfies Record<Severity["rating"], Words.Severity>;

/**
 * A report as CycloneDX 1.6 has it, as the text of a JSON file: a component a store path of which
 * something is said, a vulnerability a finding, with its verdict as analysis (VEX), and who uses it
 * as properties `sealaunch:…`.
 *
 * @param version - of this program
 */
export function cycloneDxOf(report: ScanReport, version: string): string {
  const bom = new Bom({ serialNumber: reportId(report) });
  bom.metadata.timestamp = new Date(report.made);
  bom.metadata.tools.components.add(
    new Component(ComponentType.Application, "sealaunch", { version, bomRef: "sealaunch" }),
  );
  for (const { name, state, reason } of report.nodes)
    if (state === "unknown")
      bom.metadata.properties.add(
        new Property("sealaunch:unknown-node", `${name}: ${reason ?? "no reason is known"}`),
      );
  const components = new Map<string, Component>();
  const findings = [...report.findings].sort(compareFindings);
  for (const finding of findings)
    for (const path of finding.paths)
      if (!components.has(path)) components.set(path, componentOf(finding, path));
  for (const component of components.values()) bom.components.add(component);
  findings.forEach((finding, at) => {
    const affected = finding.paths.flatMap((path) => components.get(path) ?? []);
    bom.vulnerabilities.add(vulnerabilityOf(finding, at, affected));
  });
  const serializer = new JsonSerializer(new Json.Normalize.Factory(Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}

function componentOf(finding: Finding, path: string): Component {
  const component = new Component(ComponentType.Library, finding.name, {
    bomRef: path,
    purl: packageUrl(finding, path),
    ...(finding.version === undefined ? {} : { version: finding.version }),
  });
  component.properties.add(new Property("sealaunch:known-from", finding.from));
  return component;
}

function vulnerabilityOf(
  finding: Finding,
  at: number,
  affected: readonly Component[],
): Vulnerability.Vulnerability {
  const { advisory, aliases, summary, severity, verdict, reason, disputed, uses } = finding;
  const { score } = severity;
  const analysis = new Vulnerability.Analysis({
    state: states[verdict],
    detail: `${verdict}${disputed ? ", disputed" : ""}: ${reason}`,
  });
  const vulnerability = new Vulnerability.Vulnerability({
    bomRef: `${String(at)} ${advisory}`,
    id: advisory,
    description: summary,
    recommendation: remedyOf(finding),
    analysis,
  });
  vulnerability.ratings.add(
    new Vulnerability.Rating({
      severity: ratings[severity.rating],
      ...(score === undefined ? {} : { score, method: RatingMethod.Other }),
    }),
  );
  for (const alias of aliases)
    vulnerability.references.add(
      new Vulnerability.Reference(
        alias,
        new Vulnerability.Source({ name: /^[^-]*/u.exec(alias)?.[0] ?? alias }),
      ),
    );
  for (const component of affected)
    vulnerability.affects.add(new Vulnerability.Affect(component.bomRef));
  const said = [
    ["node", sorted(uses.map(({ node }) => node))],
    ["service", sorted(uses.flatMap(({ service, unit }) => service ?? unit ?? []))],
    ["owner", sorted(uses.flatMap(({ owner }) => owner ?? []))],
  ] as const;
  for (const [name, values] of said)
    if (values.length > 0)
      vulnerability.properties.add(new Property(`sealaunch:${name}s`, values.join(", ")));
  return vulnerability;
}
