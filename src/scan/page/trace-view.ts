import { verdictNames } from "./columns.ts";
import { counted, html } from "./elements.ts";
import {
  report,
  shortPath,
  stateNames,
  states,
  textAt,
  userOf,
  nodesOf,
  type Row,
} from "./report.ts";
import { tracePicture } from "./trace-picture.ts";
import type { PageWay } from "../report/page-data.ts";

/** Whom a finding reaches and through what: a picture for eyes, and a list that unfolds. */
export function traceView(row: Row): HTMLElement {
  return html(
    "div",
    { class: "unfolded" },
    html("p", {}, row.summary),
    facts(row),
    ...(row.ways.length === 0
      ? [html("p", {}, "Nothing that is known uses it.")]
      : [tracePicture(row), html("ul", { class: "ways" }, ...users(row).map(userItem))]),
  );
}

function facts(row: Row): HTMLElement {
  const also = row.aliases.length === 0 ? [] : [["also known as", row.aliases.join(", ")] as const];
  const named: readonly (readonly [string, string])[] = [
    [verdictNames[row.verdict], row.reason],
    ...also,
    ["known from", `the ${row.from === "path" ? "store path alone" : row.from}`],
    ["store paths", row.paths.map(textAt).join(" ")],
  ];
  return html(
    "dl",
    {},
    ...named.map(([name, value]) => html("div", {}, html("dt", {}, name), html("dd", {}, value))),
  );
}

/** The ways of each user, the one on most nodes first. */
function users(row: Row): readonly (readonly PageWay[])[] {
  const groups = new Map<string, PageWay[]>();
  for (const way of row.ways) {
    const key = `${userOf(way)}\n${way.owner ?? ""}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [way]);
    else group.push(way);
  }
  const size = (ways: readonly PageWay[]): number => ways.flatMap(nodesOf).length;
  return [...groups.values()].sort((a, b) => size(b) - size(a));
}

function userItem(ways: readonly PageWay[]): HTMLElement {
  const [first] = ways;
  if (first === undefined) return html("li");
  const nodes = new Set(ways.flatMap(nodesOf));
  const owed = new Set(ways.flatMap((way) => way.nodes["restart owed"] ?? []));
  const summary = html(
    "summary",
    {},
    html("b", {}, userOf(first)),
    first.unit !== null && first.unit !== userOf(first) ? ` ${first.unit}` : "",
    first.owner === null ? ", no owner named" : `, owner ${first.owner}`,
    `, ${counted(nodes.size, "node")}`,
    owed.size === 0 ? "" : html("em", {}, `, rolled out but not restarted: ${String(owed.size)}`),
  );
  const details = html("details", {}, summary);
  // A thousand nodes are written when somebody looks at them.
  details.addEventListener("toggle", () => {
    if (details.children.length === 1) details.append(...ways.map(wayView));
  });
  return html("li", {}, details);
}

function wayView(way: PageWay): HTMLElement {
  const steps = way.through.map(textAt).map((path, at) => {
    const isLast = at === way.through.length - 1;
    return html("li", { title: path, class: isLast && "last" }, shortPath(path));
  });
  const where = states.flatMap((state) => {
    const nodes = way.nodes[state] ?? [];
    if (nodes.length === 0) return [];
    const names = nodes.flatMap((node) => report.nodes[node]?.name ?? []);
    const title = `${stateNames[state]} (${String(nodes.length)})`;
    const list = html("ul", {}, ...names.map((name) => html("li", {}, name)));
    return html("div", {}, html("dt", {}, title), html("dd", {}, list));
  });
  return html(
    "div",
    { class: "way" },
    html("p", {}, "kept by ", html("code", {}, way.root)),
    html("ol", {}, ...steps),
    html("dl", {}, ...where),
  );
}
