import { verdictNames, verdicts } from "./columns.ts";
import { counted, html, only } from "./elements.ts";
import { find } from "./filter.ts";
import { report, rows } from "./report.ts";
import { unfoldFirst } from "./table.ts";

/** How many are listed before the rest is folded. */
const few = 6;

const timeOf = (text: string): string =>
  new Date(text).toLocaleString("en-GB", {
    dateStyle: "long",
    timeStyle: "short",
    timeZone: "UTC",
  });

/** All above the findings stands there: what was looked at, what is unknown, what people ask first. */
export function buildOverview(): void {
  const made = only("#made", HTMLElement);
  made.append(html("time", { datetime: report.made }, `${timeOf(report.made)} UTC`));
  const unknown = report.nodes.filter((node) => node.unknown !== null);
  const { advisories } = report;
  const age =
    advisories.ageDays === null
      ? "of unknown age"
      : advisories.ageDays < 1
        ? "the newest of today"
        : `the newest ${counted(Math.floor(advisories.ageDays), "day")} old`;
  const counts: readonly (readonly [string, string, string])[] = [
    ...verdicts.map((verdict): readonly [string, string, string] => {
      const number = rows.filter((row) => row.verdict === verdict).length;
      return [verdictNames[verdict], number.toLocaleString("en"), `verdict ${verdict}`];
    }),
    [
      "nodes known",
      `${String(report.nodes.length - unknown.length)} of ${String(report.nodes.length)}`,
      "",
    ],
    // Where only packages were asked for, there are none.
    ...(advisories.files.length === 0
      ? []
      : [[`advisories, ${age}`, advisories.count.toLocaleString("en"), ""] as const]),
  ];
  for (const [name, value, kind] of counts)
    only("#counts", HTMLElement).append(
      html("div", { class: kind }, html("dt", {}, name), html("dd", {}, value)),
    );
  buildDoubts();
  buildPackages();
}

function buildDoubts(): void {
  const { advisories, nodes, publisherDoubts } = report;
  const section = only("#doubts", HTMLElement);
  const unknown = nodes.flatMap(({ name, unknown: reason }) =>
    reason === null ? [] : html("li", {}, html("b", {}, name), ` ${reason}`),
  );
  if (advisories.stale)
    section.append(
      html("p", {}, "The advisories are too old: what was published since is in none of this."),
    );
  if (advisories.skipped > 0)
    section.append(html("p", {}, `${counted(advisories.skipped, "record")} couldn’t be read.`));
  const doubts = publisherDoubts.map((line) => html("li", {}, line));
  if (doubts.length > 0)
    section.append(
      html("p", {}, "Not all is known of what publishers say:"),
      folded(doubts, "lines"),
    );
  if (unknown.length > 0)
    section.append(
      html("p", {}, `Nothing is known of ${counted(unknown.length, "node")}:`),
      folded(unknown, "nodes"),
    );
  section.hidden = section.children.length === 1;
}

function buildPackages(): void {
  const section = only("#packages", HTMLElement);
  const items = report.packages.map(({ line, name, version, rating, verdict }) => {
    const named = version === null ? name : `${name} ${version}`;
    const button = html("button", { type: "button", class: "package" }, named);
    button.addEventListener("click", () => {
      find(named);
      unfoldFirst();
    });
    const kind = verdict === "vulnerable" ? rating : "unknown";
    return html("li", { class: kind }, button, line.slice(named.length));
  });
  section.hidden = items.length === 0;
  only("#packages ul", HTMLElement).replaceWith(folded(items, "packages"));
}

/** A list of which the first few are shown, and the rest unfolds. */
function folded(items: readonly HTMLLIElement[], what: string): Node {
  const list = html("ul", {}, ...items.slice(0, few));
  if (items.length <= few) return list;
  const rest = items.length - few;
  const more = html("ul", {}, ...items.slice(few));
  const summary = html("summary", {}, `${rest.toLocaleString("en")} more ${what}`);
  return html("div", {}, list, html("details", {}, summary, more));
}
