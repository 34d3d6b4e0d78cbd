import { svg, counted } from "./elements.ts";
import { layersOf, type Box } from "./trace-layers.ts";
import type { Row } from "./report.ts";

const width = 190;
const height = 46;
const gap = 12;
const between = 76;
const top = 30;
/** Characters that a box has room for. */
const room = { label: 22, note: 28 };

const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`;

const thickness = (nodes: number, most: number): number => 1.5 + (6 * nodes) / most;

/** The picture of a finding: what is vulnerable, through what, in which services, whose. */
export function tracePicture(row: Row): SVGSVGElement {
  const { layers, links } = layersOf(row);
  const tallest = Math.max(...layers.map(({ boxes }) => boxes.length));
  const inner = tallest * (height + gap) - gap;
  const size = { x: layers.length * (width + between) - between + 2, y: inner + top + 2 };
  const places = new Map<string, { readonly x: number; readonly y: number }>();
  layers.forEach(({ boxes }, column) => {
    const free = inner - (boxes.length * (height + gap) - gap);
    boxes.forEach(({ key }, at) => {
      places.set(key, {
        x: column * (width + between) + 1,
        y: top + free / 2 + at * (height + gap) + 1,
      });
    });
  });
  const most = Math.max(...links.map(({ nodes }) => nodes));
  const lines = links.flatMap(({ from, to, nodes }) => {
    const [start, end] = [places.get(from), places.get(to)];
    if (start === undefined || end === undefined) return [];
    const [x1, y1] = [start.x + width, start.y + height / 2];
    const [x2, y2] = [end.x, end.y + height / 2];
    const bend = between / 2;
    const path = `M${String(x1)} ${String(y1)}C${String(x1 + bend)} ${String(y1)} ${String(x2 - bend)} ${String(y2)} ${String(x2)} ${String(y2)}`;
    return svg("path", { d: path, "stroke-width": thickness(nodes, most) });
  });
  const heads = layers.map(({ title }, column) =>
    svg("text", { class: "head", x: column * (width + between) + 1, y: 14 }, title),
  );
  const boxes = layers.flatMap((layer) =>
    layer.boxes.map((box) => boxView(box, places.get(box.key) ?? { x: 0, y: 0 }, most)),
  );
  return svg(
    "svg",
    {
      class: "picture",
      role: "img",
      "aria-label": `${row.package}: ${counted(row.users.length, "user")} on ${counted(row.nodes.size, "node")}; the list that follows says the same`,
      viewBox: `0 0 ${String(size.x)} ${String(size.y)}`,
      width: size.x,
      height: size.y,
    },
    svg("g", { class: "links" }, ...lines),
    ...heads,
    ...boxes,
  );
}

function boxView(
  box: Box,
  { x, y }: { readonly x: number; readonly y: number },
  most: number,
): SVGElement {
  if (box.kind === "pass") {
    const line = `M${String(x)} ${String(y + height / 2)}h${String(width)}`;
    return svg("path", { class: "pass", d: line, "stroke-width": thickness(box.size, most) });
  }
  return svg(
    "g",
    { class: `box ${box.kind}`, transform: `translate(${String(x)} ${String(y)})` },
    svg("title", {}, box.title),
    svg("rect", { width, height, rx: 6 }),
    svg("text", { class: "label", x: 11, y: 19 }, cut(box.label, room.label)),
    svg("text", { class: "note", x: 11, y: 35 }, cut(box.note, room.note)),
  );
}
