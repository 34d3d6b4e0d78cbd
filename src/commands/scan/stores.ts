import { Failure, type FailureCode } from "../../failure.ts";
import type { Uses } from "../../formats/uses.ts";
import type { GraphForm } from "../../scan/store/graph-form.ts";
import type { ScannedNode } from "../../scan/report/report.ts";
import { scannedStore, type ScannedStore } from "../../scan/store/scanned-store.ts";
import { readList } from "../../scan/store/list.ts";
import type { StoreTable } from "../../scan/store/table.ts";

/** A machine's store as it was brought here, by whatever way. */
export interface BroughtStore {
  /** Of the list of its paths. */
  readonly form: GraphForm;
  /** Latin 1; made when it is asked for, since it may be long and others wait beside it. */
  readonly graph: () => string;
  readonly uses: () => Uses;
  /** When it was taken, RFC 3339; undefined if nobody says. */
  readonly taken: string | undefined;
}

/** A machine that is to be looked at. */
export interface Origin {
  readonly node: string;
  /** It is on this machine: nothing is gained by bringing it before its turn. */
  readonly isHere?: true;
  /** @throws Failure why nothing is known of it */
  readonly bring: () => Promise<BroughtStore>;
}

/** What was brought, and of which machines nothing is known. */
export interface Gathered {
  readonly nodes: readonly ScannedNode[];
  readonly stores: readonly ScannedStore[];
}

/** How old what is brought may be. */
export interface Ageing {
  readonly now: Date;
  readonly maxAgeDays: number;
}

const day = 86_400_000;

/**
 * Adds what a machine's store has to `table`. What can't be had, or isn't to be believed, is a machine of
 * which nothing is known, and why; never one that has nothing.
 *
 * @throws Failure `file/absent`, `program/missing`: what is to be mended here
 */
export async function gather(
  { node, bring }: Origin,
  table: StoreTable,
  ageing: Ageing,
): Promise<{ readonly node: ScannedNode; readonly store: ScannedStore | undefined }> {
  let taken: string | undefined;
  try {
    const brought = await bring();
    ({ taken } = brought);
    requireRecent(taken, ageing);
    const list = readList(brought.graph(), brought.form, table, node);
    const paths = list.entries.length;
    if (paths === 0) throw new Failure("inventory/malformed", "it says that its store is empty");
    const known = { name: node, state: "known", reason: undefined, taken, paths } as const;
    return { node: known, store: scannedStore(node, list, brought.uses, table) };
  } catch (error) {
    // What is wrong here, and not with the machine, ends it.
    if (!(error instanceof Failure) || here.includes(error.code)) throw error;
    const reason = `${error.message} (${error.code})`;
    return { node: { name: node, state: "unknown", reason, taken, paths: 0 }, store: undefined };
  }
}

const here: readonly FailureCode[] = ["file/absent", "program/missing", "internal/bug"];

function requireRecent(taken: string | undefined, { now, maxAgeDays }: Ageing): void {
  if (taken === undefined) return;
  const age = now.getTime() - Date.parse(taken);
  if (age > maxAgeDays * day) {
    throw new Failure(
      "inventory/malformed",
      `its inventory is of ${taken}, over ${String(maxAgeDays)} days ago`,
    );
  }
  if (age < -day) {
    throw new Failure("inventory/malformed", `its inventory is of ${taken}, which is to come`);
  }
}

/** So many machines are asked at once. */
const atOnce = 8;

/** The same, each of which begins to be brought while those before it still are. */
export function ahead(origins: readonly Origin[]): Origin[] {
  const begun = new Map<number, Promise<BroughtStore>>();
  const begin = (at: number): Promise<BroughtStore> | undefined => {
    const bringing = begun.get(at) ?? origins[at]?.bring();
    if (bringing === undefined) return undefined;
    // Who waits for it sees why it failed.
    bringing.catch(() => undefined);
    begun.set(at, bringing);
    return bringing;
  };
  return origins.map(({ node, bring }, at) => ({
    node,
    bring: () => {
      for (let next = at; next < at + atOnce; next++)
        if (origins[next]?.isHere !== true) void begin(next);
      const bringing = begin(at);
      begun.delete(at);
      return bringing ?? bring();
    },
  }));
}
