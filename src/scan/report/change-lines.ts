import type { Finding } from "./report.ts";
import type { ReportChanges } from "./changes.ts";
import { packageOf } from "./order.ts";
import { summaryOf, whoseLine } from "./summary.ts";

/**
 * What people read of what changed, a line each, what is worst first.
 *
 * @param since - when the earlier report was made, RFC 3339
 */
export function changeLines(changes: ReportChanges, since: string): readonly string[] {
  const { fresh, gone, unseen, changed, spread, lost, learnt } = changes;
  const lines = [
    ...lost.map(({ name, reason }) => `unknown now: ${name}: ${reason ?? "no reason is known"}`),
    ...fresh.map((finding) => `new: ${rated(finding)}: ${whoseLine(summaryOf([finding]))}`),
    ...changed.map(
      ({ before, after }) =>
        `changed: ${named(after)}, ${before.verdict} before, ${after.verdict} now: ${after.reason}`,
    ),
    ...spread.map(
      ({ finding, nodes }) => `spread: ${rated(finding)}, now also on ${nodes.join(", ")}`,
    ),
    ...gone.map((finding) => `gone: ${rated(finding)}`),
    ...unseen.map(
      (finding) => `not seen: ${rated(finding)}: nothing is known of a node that had it`,
    ),
    ...learnt.map(({ name }) => `known now: ${name}`),
  ];
  return lines.length === 0 ? [`nothing changed since ${since}`] : [`since ${since}:`, ...lines];
}

const named = (finding: Finding): string => `${finding.advisory} in ${packageOf(finding)}`;

const rated = (finding: Finding): string =>
  `${named(finding)} (${finding.verdict}, ${finding.severity.rating})`;
