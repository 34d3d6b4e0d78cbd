import { nvd } from "../judging.ts";

/**
 * What an upstream says itself of which releases an advisory is about, and the advisory as a
 * database words it. Each row lists every package of the tables that bears the product's name.
 */
export interface Row {
  readonly id: string;
  /** Where upstream says it, or whoever looks after its advisories, and what it says there. */
  readonly sources: readonly Source[];
  /** The advisory, in the form of the database that has it. */
  readonly record: object;
  /** Releases that follow one another, or the first on its branch: that one is affected, this isn't. */
  readonly turns: readonly (readonly [affected: string, unaffected: string])[];
  /** More that are affected. */
  readonly affected?: readonly string[];
  /** More that aren't. */
  readonly unaffected?: readonly string[];
  /** Those of either kind of which a name can't tell, and the reason that is given. */
  readonly possible?: Readonly<Record<string, string>>;
  /** Those that upstream has mended, and that are called vulnerable by their name all the same. */
  readonly harsher?: readonly string[];
}

interface Source {
  readonly at: string;
  readonly says: string;
}

/** Those that upstream says are affected. */
export function affectedIn({ turns, affected = [] }: Row): readonly string[] {
  return [...new Set([...turns.map(([one]) => one), ...affected])];
}

/** Those that upstream says aren't. */
export function unaffectedIn({ turns, unaffected = [], harsher = [] }: Row): readonly string[] {
  return [...new Set([...turns.map(([, one]) => one), ...unaffected, ...harsher])];
}

/** Bounds in few words, as NVD's: `>=1.0 <2.0`, `<=3`. */
function bounds(text: string): Readonly<Record<string, string>> {
  const names: Readonly<Record<string, string>> = {
    ">=": "versionStartIncluding",
    ">": "versionStartExcluding",
    "<=": "versionEndIncluding",
    "<": "versionEndExcluding",
  };
  return Object.fromEntries(
    text.split(" ").map((bound) => {
      const [, operator = "", version = ""] = /^([<>]=?)(.*)$/.exec(bound) ?? [];
      return [names[operator] ?? "", version];
    }),
  );
}

/** A record of NVD: for each product, ranges of versions (`>=1.0 <2.0`) or single ones (`=1.2`). */
export function ranges(id: string, products: Readonly<Record<string, readonly string[]>>): object {
  const matches = Object.entries(products).flatMap(([product, each]) =>
    each.map((range) =>
      range.startsWith("=")
        ? { cpe: `${product}:${range.slice(1)}` }
        : { cpe: product, bounds: bounds(range) },
    ),
  );
  return nvd(id, matches);
}
