import Table from "cli-table3";
import { printable } from "../printable.ts";

// Columns, two blanks apart, without lines: what people read, copy from and grep.
const borders = [
  ["top", "top-mid", "top-left", "top-right"],
  ["bottom", "bottom-mid", "bottom-left", "bottom-right"],
  ["left", "left-mid", "mid", "mid-mid", "right", "right-mid"],
].flat();

/** Rows under a head, if it has words, in aligned columns, one line each, without a newline at the end. */
export function layOut(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    chars: { ...Object.fromEntries(borders.map((border) => [border, ""])), middle: "  " },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  const lines = head.some((word) => word !== "") ? [head, ...rows] : rows;
  table.push(...lines.map((row) => row.map(printable)));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
