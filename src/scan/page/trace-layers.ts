import { counted } from "./elements.ts";
import { nodesOf, shortPath, textAt, userOf, type Row } from "./report.ts";

/** How many boxes stand above each other; the last then stands for all the others. */
const most = 10;

/** One box of the picture. */
export interface Box {
  readonly key: string;
  /** A pass is only a line: a way that has nothing in this column. */
  readonly kind: "vulnerable" | "path" | "pass" | "user" | "owner";
  readonly label: string;
  readonly note: string;
  /** How many nodes. */
  readonly size: number;
  /** All of it, where the box has no room. */
  readonly title: string;
}

/** What a picture is drawn from: columns from left to right, and what leads from one to the next. */
export interface Layers {
  readonly layers: readonly { readonly title: string; readonly boxes: readonly Box[] }[];
  readonly links: readonly { readonly from: string; readonly to: string; readonly nodes: number }[];
}

interface Gathered extends Omit<Box, "note" | "size"> {
  readonly nodes: Set<number>;
  readonly owed: Set<number>;
}

/** The columns of a finding: the package, paths by how far they are from it, users, owners. */
export function layersOf(row: Row): Layers {
  const longest = Math.max(...row.ways.map(({ through }) => through.length), 1);
  const columns = Array.from({ length: longest + 2 }, () => new Map<string, Gathered>());
  const steps: { keys: readonly string[]; nodes: readonly number[] }[] = [];
  for (const way of row.ways) {
    const nodes = nodesOf(way);
    const owed = way.nodes["restart owed"] ?? [];
    const keys: string[] = [];
    const add = (column: number, box: Omit<Gathered, "nodes" | "owed">): void => {
      const boxes = columns[column];
      if (boxes === undefined) return;
      const known = boxes.get(box.key) ?? { ...box, nodes: new Set(), owed: new Set() };
      for (const node of nodes) known.nodes.add(node);
      for (const node of owed) known.owed.add(node);
      boxes.set(box.key, known);
      keys.push(box.key);
    };
    [...way.through].reverse().forEach((place, distance) => {
      const path = textAt(place);
      const kind = distance === 0 ? "vulnerable" : "path";
      add(distance, {
        key: `${String(distance)} ${path}`,
        kind,
        label: shortPath(path),
        title: path,
      });
    });
    const user = userOf(way);
    for (let distance = way.through.length; distance < longest; distance++)
      add(distance, {
        key: `${String(distance)} to ${user}`,
        kind: "pass",
        label: "",
        title: user,
      });
    add(longest, { key: `u ${user}`, kind: "user", label: user, title: way.unit ?? way.root });
    const owner = way.owner ?? "no owner named";
    add(longest + 1, { key: `o ${owner}`, kind: "owner", label: owner, title: owner });
    steps.push({ keys, nodes });
  }
  const renamed = new Map<string, string>();
  const layers = columns.map((boxes, column) => ({
    title: titleOf(column, longest),
    boxes: fewest([...boxes.values()], `rest ${String(column)}`, renamed),
  }));
  return { layers, links: linksOf(steps, renamed) };
}

function titleOf(column: number, longest: number): string {
  if (column === 0) return "what is vulnerable";
  if (column === longest) return "who uses it";
  if (column === longest + 1) return "whom to ask";
  return column === 1 ? "through" : "";
}

/** Boxes of a column, that with most nodes first; what is too many becomes one. */
function fewest(all: readonly Gathered[], restKey: string, renamed: Map<string, string>): Box[] {
  const inOrder = [...all].sort((a, b) => b.nodes.size - a.nodes.size);
  const shown = inOrder.length <= most ? inOrder : inOrder.slice(0, most - 1);
  const rest = inOrder.slice(shown.length);
  for (const { key } of rest) renamed.set(key, restKey);
  const boxes = shown.map(({ nodes, owed, ...box }) => {
    const restart = owed.size === 0 ? "" : `, ${String(owed.size)} owed a restart`;
    const note = counted(nodes.size, "node") + restart;
    return { ...box, note, size: nodes.size, title: `${box.title}\n${note}` };
  });
  const [first] = rest;
  if (first === undefined) return boxes;
  const nodes = new Set(rest.flatMap((box) => [...box.nodes]));
  const title = rest.map(({ label }) => label).join("\n");
  return [
    ...boxes,
    {
      key: restKey,
      kind: first.kind,
      label: `${String(rest.length)} more`,
      note: counted(nodes.size, "node"),
      size: nodes.size,
      title,
    },
  ];
}

function linksOf(
  steps: readonly { readonly keys: readonly string[]; readonly nodes: readonly number[] }[],
  renamed: ReadonlyMap<string, string>,
): Layers["links"] {
  const links = new Map<string, { from: string; to: string; nodes: Set<number> }>();
  for (const { keys, nodes } of steps) {
    const shown = keys.map((key) => renamed.get(key) ?? key);
    shown.slice(1).forEach((to, at) => {
      const from = shown[at] ?? "";
      const link = links.get(`${from}\n${to}`) ?? { from, to, nodes: new Set() };
      for (const node of nodes) link.nodes.add(node);
      links.set(`${from}\n${to}`, link);
    });
  }
  return [...links.values()].map(({ from, to, nodes }) => ({ from, to, nodes: nodes.size }));
}
