import { Failure } from "../../failure.ts";
import { isStorePath } from "../../service/store-path.ts";
import { readEntries, type GraphForm } from "./graph-form.ts";
import type { StoreTable } from "./table.ts";

/** The paths of one store: four bytes each, the rest being the table's. */
export interface StoreList {
  /** Numbers of entries of the table, no two of one path. */
  readonly entries: Uint32Array;
  /** What was left out: names that are no store path, and doubles. */
  readonly skipped: number;
}

/** Ten times what any store has that we have seen; so many take some 200 MB. */
const maxPaths = 1_000_000;
const maxReferences = 20_000_000;

/**
 * The paths that a list describes. It may come from a machine that lies: what is no store path is
 * skipped.
 *
 * @param text - Latin 1: store paths are ASCII
 * @param what - names the list in messages
 * @throws Failure `inventory/malformed` if it has another form, is cut short, or claims too much
 */
export function readList(
  text: string,
  form: GraphForm,
  table: StoreTable,
  what: string,
): StoreList {
  const entries: number[] = [];
  const seen = new Set<number>();
  let skipped = 0;
  let count = 0;
  for (const { path, deriver, references } of readEntries(text, form, what)) {
    const number = numberIn(table, path);
    if (number === undefined || seen.has(number)) {
      skipped++;
      continue;
    }
    seen.add(number);
    if (deriver.endsWith(".drv") && isStorePath(deriver)) table.addDeriver(number, deriver);
    const named: number[] = [];
    for (const reference of references) {
      if (reference === path) continue;
      const needed = numberIn(table, reference);
      if (needed === undefined) skipped++;
      else named.push(needed);
    }
    entries.push(table.entryOf(number, named));
    count += named.length;
    if (entries.length > maxPaths || count > maxReferences) {
      throw new Failure(
        "inventory/malformed",
        `${what} claims more than ${String(maxPaths)} paths or ${String(maxReferences)} references`,
      );
    }
  }
  return { entries: Uint32Array.from(entries), skipped };
}

/** The number of a store path; undefined for what is none. Most are known, and those were judged before. */
function numberIn(table: StoreTable, path: string): number | undefined {
  return table.find(path) ?? (isStorePath(path) ? table.numberOf(path) : undefined);
}
