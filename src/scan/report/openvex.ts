import type { Finding, ScanReport } from "./report.ts";
import { compareFindings } from "./order.ts";
import { packageUrl } from "../advisories/purl.ts";
import { remedyOf, reportId } from "./names.ts";
import type { Verdict } from "../judgement.ts";

/** One statement of OpenVEX 0.2.0, of those that a scan makes. */
interface Statement {
  readonly vulnerability: { readonly name: string; readonly aliases?: readonly string[] };
  readonly products: readonly {
    readonly "@id": string;
    readonly identifiers: { readonly purl: string };
  }[];
  readonly status: "affected" | "fixed" | "under_investigation";
  readonly status_notes: string;
  /** There with `affected`, where the specification asks for it. */
  readonly action_statement?: string;
}

/** A document of OpenVEX 0.2.0. */
export interface OpenVex {
  readonly "@context": "https://openvex.dev/ns/v0.2.0";
  readonly "@id": string;
  readonly author: string;
  readonly timestamp: string;
  readonly version: 1;
  readonly tooling: string;
  readonly statements: readonly Statement[];
}

// Whoever ignores an advisory doesn't want to hear of it; that isn't to say that it does no harm. So
// nothing is claimed, and his reason stands in the notes.
const statuses = {
  vulnerable: "affected",
  patched: "fixed",
  possible: "under_investigation",
  ignored: "under_investigation",
  unknown: "under_investigation",
} as const satisfies Record<Verdict, Statement["status"]>;

/**
 * A report as OpenVEX 0.2.0 has it: a statement a finding, about each of its store paths.
 *
 * @param author - who answers for it
 * @param version - of this program
 */
export function openVexOf(report: ScanReport, author: string, version: string): OpenVex {
  return {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": reportId(report),
    author,
    timestamp: report.made,
    version: 1,
    tooling: `Sealaunch ${version}`,
    statements: [...report.findings].sort(compareFindings).map(statementOf),
  };
}

function statementOf(finding: Finding): Statement {
  const { advisory, aliases, verdict, reason, disputed, paths } = finding;
  const status = statuses[verdict];
  return {
    vulnerability: { name: advisory, ...(aliases.length === 0 ? {} : { aliases }) },
    products: paths.map((path) => {
      const purl = packageUrl(finding, path);
      return { "@id": purl, identifiers: { purl } };
    }),
    status,
    status_notes: `${verdict}${disputed ? ", disputed" : ""}: ${reason}`,
    ...(status === "affected" ? { action_statement: remedyOf(finding) } : {}),
  };
}
