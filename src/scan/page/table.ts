import { columns, packageColumn, type Column } from "./columns.ts";
import { html, only } from "./elements.ts";
import { rows, type Row } from "./report.ts";
import { traceView } from "./trace-view.ts";

const all = [packageColumn, ...columns];
const head = only("#findings thead", HTMLTableSectionElement);
const body = only("#findings tbody", HTMLTableSectionElement);

interface Line {
  readonly row: Row;
  readonly element: HTMLTableRowElement;
  /** Its trace, once it was unfolded. */
  unfolded: HTMLTableRowElement | undefined;
  readonly button: HTMLButtonElement;
}

let lines: Line[] = [];

/** The table stands there, as the report orders it. */
export function buildTable(): void {
  head.append(html("tr", {}, ...all.map(headCell)));
  lines = rows.map(lineOf);
  body.append(...lines.map(({ element }) => element));
}

function headCell(column: Column): HTMLTableCellElement {
  const button = html("button", { type: "button" }, column.title);
  const cell = html("th", { scope: "col", class: column.isNumber && "number" }, button);
  button.addEventListener("click", () => {
    // What is worst, most or newest is what people look for: numbers begin with the highest.
    const first = column.isNumber === true || column.title === "Severity" ? -1 : 1;
    const last = cell.getAttribute("aria-sort");
    const direction = last === null ? first : last === "ascending" ? -1 : 1;
    for (const other of head.querySelectorAll("th")) other.removeAttribute("aria-sort");
    cell.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
    lines.sort((a, b) => direction * column.compare(a.row, b.row));
    body.append(
      ...lines.flatMap(({ element, unfolded }) =>
        unfolded === undefined ? element : [element, unfolded],
      ),
    );
  });
  return cell;
}

function lineOf(row: Row, at: number): Line {
  const button = html(
    "button",
    { type: "button", class: "unfold", "aria-expanded": "false" },
    row.package,
  );
  const cells = columns.map((column) =>
    html("td", { class: column.isNumber && "number" }, ...column.cell(row)),
  );
  const first = html("th", { scope: "row" }, button);
  const line: Line = { row, button, element: html("tr", {}, first, ...cells), unfolded: undefined };
  button.addEventListener("click", () => {
    unfold(line, button.getAttribute("aria-expanded") !== "true", at);
  });
  return line;
}

function unfold(line: Line, isOpen: boolean, at: number): void {
  if (line.unfolded === undefined) {
    const id = `trace-${String(at)}`;
    const cell = html("td", { colspan: all.length }, traceView(line.row));
    line.unfolded = html("tr", { class: "trace", id }, cell);
    line.button.setAttribute("aria-controls", id);
    line.element.after(line.unfolded);
  }
  line.button.setAttribute("aria-expanded", String(isOpen));
  line.unfolded.hidden = !isOpen;
}

/** Only rows that `isShown` says stay; how many that are. */
export function showOnly(isShown: (row: Row) => boolean): number {
  let number = 0;
  for (const { row, element, unfolded, button } of lines) {
    const stays = isShown(row);
    if (stays) number++;
    element.hidden = !stays;
    if (unfolded !== undefined)
      unfolded.hidden = !stays || button.getAttribute("aria-expanded") !== "true";
  }
  return number;
}

/** The first row that is shown is unfolded, and has the focus. */
export function unfoldFirst(): void {
  const first = lines.find(({ element }) => element.hidden === false);
  if (first === undefined) return;
  if (first.button.getAttribute("aria-expanded") !== "true") first.button.click();
  first.button.focus();
}
