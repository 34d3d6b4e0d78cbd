import type { PageData, PageFinding, PageWay } from "../report/page-data.ts";

/** The report that this page was made for. */
export const report = JSON.parse(document.getElementById("report")?.textContent ?? "") as PageData;

/** States of a use, as a person reads them, what matters most first. */
export const states = [
  "restart owed",
  "deleted but mapped",
  "yes",
  "unknown",
  "no",
] as const satisfies readonly (keyof PageWay["nodes"])[];

/** What a state is called where it stands behind a number of nodes. */
export const stateNames: Readonly<Record<(typeof states)[number], string>> = {
  "restart owed": "rolled out but not restarted",
  "deleted but mapped": "runs what is deleted from disk",
  yes: "runs it",
  no: "has it, and doesn’t run it",
  unknown: "nobody can tell whether it runs",
};

/** A finding with all that rows are sorted and found by. */
export interface Row extends PageFinding {
  readonly ways: readonly PageWay[];
  /** openssl 3.0.7 */
  readonly package: string;
  readonly users: readonly string[];
  readonly owners: readonly string[];
  /** Places in `report.nodes`. */
  readonly nodes: ReadonlySet<number>;
  /** Places of those that still run what was replaced. */
  readonly owed: ReadonlySet<number>;
  /** All that `Find` looks through, in lower case. */
  readonly words: string;
}

/** The text at a place. */
export function textAt(place: number): string {
  return report.texts[place] ?? "";
}

/** `openssl-3.0.7` of a store path. */
export function shortPath(path: string): string {
  return path.replace(/^\/nix\/store\/[0-9a-z]{32}-/u, "");
}

/** What uses it on this way: its service, else its unit, else what keeps it. */
export function userOf(way: PageWay): string {
  return way.service ?? way.unit ?? shortPath(way.root);
}

/** Every node of a way, whatever runs there. */
export function nodesOf(way: PageWay): readonly number[] {
  return Object.values(way.nodes).flat();
}

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)].sort();

/** Every finding, as the report orders them: the worst first. */
export const rows: readonly Row[] = report.findings.map((finding) => {
  const ways = report.traces[finding.trace] ?? [];
  const users = unique(ways.map(userOf));
  const owners = unique(ways.flatMap(({ owner }) => owner ?? []));
  const nodes = new Set(ways.flatMap(nodesOf));
  const named = finding.version === null ? finding.name : `${finding.name} ${finding.version}`;
  const words = [
    named,
    finding.advisory,
    ...finding.aliases,
    finding.summary,
    ...users,
    ...ways.flatMap(({ unit }) => unit ?? []),
    ...owners,
    ...[...nodes].flatMap((node) => report.nodes[node]?.name ?? []),
  ];
  return {
    ...finding,
    ways,
    package: named,
    users,
    owners,
    nodes,
    owed: new Set(ways.flatMap((way) => way.nodes["restart owed"] ?? [])),
    words: words.join("\n").toLowerCase(),
  };
});
