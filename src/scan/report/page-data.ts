import { printable } from "../../printable.ts";
import type { Finding, Running, ScanReport, Use } from "./report.ts";
import { compareFindings } from "./order.ts";
import { publisherDoubts } from "./publishers.ts";
import { packageSummaries, summaryLine } from "./summary.ts";

/** One way to the package, and every node that has it. */
export interface PageWay {
  readonly unit: string | null;
  readonly service: string | null;
  readonly owner: string | null;
  readonly root: string;
  /** Places in `texts`: store paths from the root's target to the package. */
  readonly through: readonly number[];
  /** By what runs there, places in `nodes`. */
  readonly nodes: Readonly<Partial<Record<Running, readonly number[]>>>;
}

/** A finding as the page has it. */
export interface PageFinding extends Pick<
  Finding,
  "advisory" | "aliases" | "summary" | "verdict" | "reason" | "disputed" | "name" | "from"
> {
  readonly version: string | null;
  readonly fixedIn: string | null;
  readonly score: number | null;
  readonly rating: Finding["severity"]["rating"];
  /** Places in `texts`. */
  readonly paths: readonly number[];
  /** A place in `traces`. */
  readonly trace: number;
}

/** One line of what people ask first, and what it is about. */
export interface PagePackage {
  readonly line: string;
  readonly verdict: Finding["verdict"];
  readonly rating: PageFinding["rating"];
  readonly name: string;
  readonly version: string | null;
}

/**
 * A report as its page carries it. What many findings share stands there once, so that its size goes
 * with what differs, not with findings × nodes. No text in it can steer what is shown.
 */
export interface PageData {
  readonly made: string;
  readonly advisories: Omit<ScanReport["advisories"], "newest" | "ageDays"> & {
    readonly newest: string | null;
    readonly ageDays: number | null;
  };
  /** What of publishers' records is to be doubted, a line each. */
  readonly publisherDoubts: readonly string[];
  readonly nodes: readonly {
    readonly name: string;
    /** Why nothing is known of it; null for one that is known. */
    readonly unknown: string | null;
    readonly taken: string | null;
  }[];
  readonly packages: readonly PagePackage[];
  readonly texts: readonly string[];
  readonly traces: readonly (readonly PageWay[])[];
  readonly findings: readonly PageFinding[];
}

/** Values, each once, by their place. */
class Places<T> {
  readonly values: T[] = [];
  readonly #places = new Map<string, number>();

  of(value: T, key: string): number {
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.#places.set(key, this.values.length);
    return this.values.push(value) - 1;
  }
}

const shown = (text: string | undefined): string | null =>
  text === undefined ? null : printable(text);

/** What the page of `report` carries. */
export function pageData(report: ScanReport): PageData {
  const nodes = new Places<string>();
  for (const { name } of report.nodes) nodes.of(name, name);
  // A node that only a use names has to be somewhere too.
  for (const { uses } of report.findings) for (const { node } of uses) nodes.of(node, node);
  const asked = new Map(report.nodes.map((node) => [node.name, node]));
  const texts = new Places<string>();
  const place = (text: string): number => texts.of(printable(text), text);
  const traces = new Places<readonly PageWay[]>();
  const findings = [...report.findings].sort(compareFindings).map((finding): PageFinding => {
    const ways = waysOf(finding.uses, place, (node) => nodes.of(node, node));
    return {
      advisory: printable(finding.advisory),
      aliases: finding.aliases.map(printable),
      summary: printable(finding.summary),
      score: finding.severity.score ?? null,
      rating: finding.severity.rating,
      verdict: finding.verdict,
      reason: printable(finding.reason),
      disputed: finding.disputed,
      name: printable(finding.name),
      version: shown(finding.version),
      fixedIn: shown(finding.fixedIn),
      from: finding.from,
      paths: finding.paths.map(place),
      trace: traces.of(ways, JSON.stringify(ways)),
    };
  });
  const { advisories } = report;
  return {
    made: report.made,
    advisories: {
      ...advisories,
      files: advisories.files.map(printable),
      newest: advisories.newest ?? null,
      ageDays: advisories.ageDays ?? null,
    },
    publisherDoubts: publisherDoubts(report).map(printable),
    nodes: nodes.values.map((name) => {
      const node = asked.get(name);
      const isKnown = node === undefined || node.state === "known";
      const reason = printable(node?.reason ?? "no reason is known");
      return {
        name: printable(name),
        unknown: isKnown ? null : reason,
        taken: node?.taken ?? null,
      };
    }),
    packages: packageSummaries(report).map((summary) => ({
      line: printable(summaryLine(summary)),
      verdict: summary.findings[0].verdict,
      rating: summary.findings[0].severity.rating,
      name: printable(summary.name),
      version: shown(summary.version),
    })),
    texts: texts.values,
    traces: traces.values,
    findings,
  };
}

function waysOf(
  uses: readonly Use[],
  place: (text: string) => number,
  nodeOf: (name: string) => number,
): readonly PageWay[] {
  const ways = new Map<string, PageWay & { readonly nodes: Partial<Record<Running, number[]>> }>();
  for (const { node, unit, service, owner, root, through, running } of uses) {
    const key = JSON.stringify([unit, service, owner, root, through]);
    let way = ways.get(key);
    if (way === undefined) {
      const [shownUnit, shownService, shownOwner] = [unit, service, owner].map(shown);
      way = {
        unit: shownUnit ?? null,
        service: shownService ?? null,
        owner: shownOwner ?? null,
        root: printable(root),
        through: through.map(place),
        nodes: {},
      };
      ways.set(key, way);
    }
    (way.nodes[running] ??= []).push(nodeOf(node));
  }
  return [...ways.values()];
}
