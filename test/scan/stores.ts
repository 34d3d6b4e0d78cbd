import { createHash } from "node:crypto";
import type { Uses } from "../../src/formats/uses.ts";
import type { GraphForm } from "../../src/scan/store/graph-form.ts";
import { graphOfList, type StoreGraph } from "../../src/scan/store/graph.ts";
import { readList } from "../../src/scan/store/list.ts";
import { createStoreTable } from "../../src/scan/store/table.ts";

const alphabet = "0123456789abcdfghijklmnpqrsvwxyz";

const known = new Map<string, string>();

/** A store path of that name, the same for the same name. */
export function storePath(name: string): string {
  const before = known.get(name);
  if (before !== undefined) return before;
  const digest = createHash("sha256").update(name).digest();
  const path = `/nix/store/${[...digest].map((byte) => alphabet[byte % 32]).join("")}-${name}`;
  known.set(name, path);
  return path;
}

/** As `nix-store --dump-db` prints it: what each name refers to, by names. */
export function dumpOf(references: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(references)
    .map(([name, needs]) => {
      const lines = [storePath(name), "0".repeat(64), "4096", storePath(`${name}.drv`)];
      return [...lines, String(needs.length), ...needs.map(storePath), ""].join("\n");
    })
    .join("");
}

export function graphOf(
  references: Readonly<Record<string, readonly string[]>>,
): ReturnType<typeof readGraph> {
  return readGraph(dumpOf(references));
}

/** A graph, with how much of the list was left out. */
export function readGraph(
  text: string,
  form: GraphForm = "dump",
  table = createStoreTable(),
): StoreGraph & { readonly skipped: number } {
  const list = readList(text, form, table, "a store");
  return { ...graphOfList(list, table), skipped: list.skipped };
}

export const noUses: Uses = { version: 1, roots: [], units: [], processes: [], missing: [] };

/** A service, of which nothing is known but what is given. Paths by names. */
export function unit(
  name: string,
  given: {
    readonly names?: readonly string[];
    readonly runs?: readonly string[];
    readonly deleted?: readonly string[];
    readonly owner?: string;
    readonly isActive?: boolean;
  },
): Uses["units"][number] {
  const { names = [], runs = [], deleted = [], owner = null, isActive = true } = given;
  return {
    unit: name,
    owner,
    isActive,
    names: names.map(storePath),
    runs: runs.map(storePath),
    deleted: deleted.map(storePath),
    bundles: [],
  };
}
