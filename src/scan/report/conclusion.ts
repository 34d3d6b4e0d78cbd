import type { FailureCode } from "../../failure.ts";
import type { Finding, ScanReport } from "./report.ts";
import { compareFindings, packageOf, ratings } from "./order.ts";
import { counted } from "./summary.ts";

/** From which severity on something vulnerable ends a pipeline. */
export type FailLevel = "low" | "medium" | "high" | "critical";

/** Why a scan ends with a status other than 0. */
export interface Conclusion {
  readonly code: FailureCode;
  readonly message: string;
  /** What mends it, where that isn't what always does. */
  readonly hint?: string;
}

/**
 * How a scan ends, or undefined where it ends with 0. In this order: something vulnerable at or above
 * `failOn` (77, and only if that was asked for); a node that nothing is known of, or a cache that
 * didn't answer (69); advisories that are too old (75). What has no rating counts as at every level, since it may be anything; only what is
 * vulnerable counts, nothing that is possible, ignored, patched or can't be told.
 */
export function conclusionOf(
  report: ScanReport,
  failOn: FailLevel | undefined,
): Conclusion | undefined {
  const found = failOn === undefined ? [] : foundAt(report, failOn);
  const [worst] = found;
  if (worst !== undefined && failOn !== undefined) {
    return {
      code: "scan/vulnerable",
      message:
        `${counted(found.length, "finding")} at or above ${failOn}, the worst ` +
        `${packageOf(worst)} by ${worst.advisory} (${worst.severity.rating})`,
    };
  }
  const nodes = report.nodes.filter(({ state }) => state === "unknown");
  const [node] = nodes;
  if (node !== undefined || report.nodes.length === 0) {
    return {
      code: "scan/unknown",
      message:
        node === undefined
          ? "no node was looked at"
          : `${String(nodes.length)} of ${counted(report.nodes.length, "node")} unknown, such as ` +
            `${node.name}: ${node.reason ?? "no reason is known"}`,
    };
  }
  const cache = report.publishers.caches.find(({ state }) => state === "unknown");
  if (cache !== undefined) {
    return {
      code: "scan/unknown",
      message: `what publishers say in ${cache.name} is unknown: ${cache.reason ?? "no reason is known"}`,
      hint: "mend the cache and scan again, or give another: --cache URL --cache-public-key NAME:BASE64",
    };
  }
  if (report.advisories.stale) {
    const { newest } = report.advisories;
    return {
      code: "scan/stale",
      message:
        newest === undefined
          ? "no advisory says when it was changed"
          : `the newest advisory is of ${newest.slice(0, 10)}, and this was made on ${report.made.slice(0, 10)}`,
    };
  }
  return undefined;
}

function foundAt({ findings }: ScanReport, level: FailLevel): readonly Finding[] {
  const worse: readonly string[] = [...ratings.slice(0, ratings.indexOf(level) + 1), "unknown"];
  return findings
    .filter(({ verdict, severity }) => verdict === "vulnerable" && worse.includes(severity.rating))
    .sort(compareFindings);
}
