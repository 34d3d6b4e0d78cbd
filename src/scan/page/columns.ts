import { html } from "./elements.ts";
import type { Row } from "./report.ts";

/** The worst first; what nobody has rated may be anything. */
export const ratings = ["critical", "high", "medium", "unknown", "low", "none"] as const;
/** What matters most first. */
export const verdicts = ["vulnerable", "possible", "unknown", "ignored", "patched"] as const;

/** A verdict, as a person reads it. */
export const verdictNames: Readonly<Record<Row["verdict"], string>> = {
  vulnerable: "vulnerable",
  possible: "possible",
  unknown: "can’t be told",
  ignored: "ignored",
  patched: "patched",
};

/** A column of the table. */
export interface Column {
  readonly title: string;
  readonly isNumber?: true;
  /** Below zero if `a` comes before `b` when it is sorted upwards. */
  compare(a: Row, b: Row): number;
  cell(row: Row): readonly (Node | string)[];
}

const collator = new Intl.Collator("en", { numeric: true });

/** A row's severity as a mark: word, number and colour say the same. */
function severityMark({ rating, score }: Row): Node {
  const number = score === null ? [] : [html("b", {}, score.toFixed(1))];
  const word = rating === "unknown" ? "not rated" : rating;
  return html("span", { class: `severity ${rating}` }, word, ...number);
}

function verdictMark({ verdict, disputed }: Row): Node {
  const words = disputed ? `${verdictNames[verdict]}, disputed` : verdictNames[verdict];
  return html("span", { class: `verdict ${verdict}` }, words);
}

function named(names: readonly string[]): string {
  if (names.length <= 3) return names.join(", ");
  return `${names.slice(0, 2).join(", ")} and ${String(names.length - 2)} more`;
}

/** Every column but the first, which unfolds the trace. */
export const columns: readonly Column[] = [
  {
    title: "Severity",
    compare: (a, b) =>
      ratings.indexOf(b.rating) - ratings.indexOf(a.rating) || (a.score ?? 0) - (b.score ?? 0),
    cell: (row) => [severityMark(row)],
  },
  {
    title: "Advisory",
    compare: (a, b) => collator.compare(a.advisory, b.advisory),
    cell: (row) => [row.advisory],
  },
  {
    title: "Verdict",
    compare: (a, b) => verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict),
    cell: (row) => [verdictMark(row)],
  },
  {
    title: "Fixed in",
    compare: (a, b) => collator.compare(a.fixedIn ?? "", b.fixedIn ?? ""),
    cell: (row) => [row.fixedIn ?? "–"],
  },
  {
    title: "Services",
    compare: (a, b) => a.users.length - b.users.length,
    cell: (row) => [row.users.length === 0 ? "–" : named(row.users)],
  },
  {
    title: "Owners",
    compare: (a, b) => collator.compare(a.owners.join(), b.owners.join()),
    cell: (row) => [row.owners.length === 0 ? "–" : named(row.owners)],
  },
  {
    title: "Nodes",
    isNumber: true,
    compare: (a, b) => a.nodes.size - b.nodes.size,
    cell: (row) => [row.nodes.size.toLocaleString("en")],
  },
  {
    title: "Restart owed",
    isNumber: true,
    compare: (a, b) => a.owed.size - b.owed.size,
    cell: (row) => [row.owed.size === 0 ? "–" : row.owed.size.toLocaleString("en")],
  },
];

/** The column that unfolds. */
export const packageColumn: Column = {
  title: "Package",
  compare: (a, b) => collator.compare(a.package, b.package),
  cell: (row) => [row.package],
};
