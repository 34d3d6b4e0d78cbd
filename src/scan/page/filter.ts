import { ratings, verdictNames, verdicts } from "./columns.ts";
import { counted, html, only } from "./elements.ts";
import { rows, type Row } from "./report.ts";
import { showOnly } from "./table.ts";

const form = only("#filter", HTMLFormElement);
const text = only("#text", HTMLInputElement);
const severity = only("#severity", HTMLSelectElement);
const owner = only("#owner", HTMLSelectElement);
const choices = only("#filter .choices", HTMLDivElement);

/** The filter offers what there is, and every change of it shows at once. */
export function buildFilter(): void {
  const owners = [...new Set(rows.flatMap((row) => row.owners))].sort();
  owner.append(...owners.map((name) => html("option", { value: name }, name)));
  for (const verdict of verdicts) {
    const number = rows.filter((row) => row.verdict === verdict).length;
    if (number === 0) continue;
    const isFirst = verdict !== "patched" && verdict !== "ignored";
    const box = html("input", { type: "checkbox", value: verdict, checked: isFirst });
    const label = `${verdictNames[verdict]} (${number.toLocaleString("en")})`;
    choices.append(html("label", {}, box, html("span", {}, label)));
  }
  form.addEventListener("input", apply);
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    showAll();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
  });
  apply();
}

function showAll(): void {
  text.value = "";
  severity.value = "none";
  owner.value = "";
  for (const box of choices.querySelectorAll("input")) box.checked = true;
  apply();
}

/** Only the findings of one package are shown. */
export function find(words: string): void {
  showAll();
  text.value = words;
  apply();
}

function apply(): void {
  const words = text.value.toLowerCase().split(/\s+/u).filter(Boolean);
  const worst: readonly string[] = ratings.slice(
    0,
    severity.value === "none"
      ? ratings.length
      : ratings.findIndex((one) => one === severity.value) + 1,
  );
  const boxes = [...choices.querySelectorAll("input")];
  const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  const isShown = (row: Row): boolean =>
    wanted.has(row.verdict) &&
    // What nobody has rated may be anything.
    (worst.includes(row.rating) || row.rating === "unknown") &&
    (owner.value === "" || row.owners.includes(owner.value)) &&
    words.every((word) => row.words.includes(word));
  const number = showOnly(isShown);
  only("#shown", HTMLElement).textContent =
    number === rows.length
      ? `all ${counted(number, "finding")}`
      : `${number.toLocaleString("en")} of ${counted(rows.length, "finding")}`;
}
