import { compareVersions } from "../version.ts";
import type { Finding, Use } from "./report.ts";
import type { Severity } from "../advisories/severity.ts";
import type { Verdict } from "../judgement.ts";

/** Verdicts, what matters most first. */
export const verdicts = [
  "vulnerable",
  "possible",
  "unknown",
  "ignored",
  "patched",
] as const satisfies readonly Verdict[];

/** Ratings, the worst first. What nobody has rated may be anything, so it comes before what is low. */
export const ratings = [
  "critical",
  "high",
  "medium",
  "unknown",
  "low",
  "none",
] as const satisfies readonly Severity["rating"][];

const textOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Below zero if `a` is to be read before `b`: by verdict, severity, package, version, advisory. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict) ||
    ratings.indexOf(a.severity.rating) - ratings.indexOf(b.severity.rating) ||
    (b.severity.score ?? 0) - (a.severity.score ?? 0) ||
    textOrder(a.name, b.name) ||
    compareVersions(a.version ?? "", b.version ?? "") ||
    textOrder(a.advisory, b.advisory)
  );
}

/** What a use is called: its service, else its unit, else what keeps it. */
export function userOf(use: Use): string {
  return use.service ?? use.unit ?? use.root;
}

/** `openssl 3.0.7`, or the name alone where no version is known. */
export function packageOf({ name, version }: Pick<Finding, "name" | "version">): string {
  return version === undefined ? name : `${name} ${version}`;
}

/** The texts, each once, in order. */
export function sorted(texts: Iterable<string>): readonly string[] {
  return [...new Set(texts)].sort(textOrder);
}
