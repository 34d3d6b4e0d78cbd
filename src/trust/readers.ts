/** When something held: from a time to another, `undefined` for until today. Times as records write them. */
export interface Period {
  readonly from: string;
  readonly until: string | undefined;
}

/** That somebody could open a pool's epochs, or that a bundle was for a pool, for a while. */
export interface Held extends Period {
  readonly pool: string;
}

/** A node or an operator who had a pool's identity. */
export interface Holding extends Held {
  /** `node n1`, `operator ops`. */
  readonly who: string;
}

/** A generation of a bundle that was for a pool. */
export interface Audience extends Held {
  readonly generation: number;
}

/** Who could read a bundle, when, and which generations. */
export interface Reading extends Period {
  readonly who: string;
  readonly pool: string;
  readonly generations: readonly number[];
}

/** The common part of two periods; undefined if there is none. Records' times sort as texts. */
function overlap(a: Period, b: Period): Period | undefined {
  const from = a.from > b.from ? a.from : b.from;
  const until = earliest(a.until, b.until);
  return until === undefined || from < until ? { from, until } : undefined;
}

function earliest(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

/**
 * Gives each record of a chain the period for which it was the newest.
 *
 * @param records - the newest first
 */
export function periodsOf<T>(
  records: readonly T[],
  begins: (record: T) => string,
): (Period & { readonly record: T })[] {
  return records.map((record, index) => {
    const next = records[index - 1];
    return { record, from: begins(record), until: next === undefined ? undefined : begins(next) };
  });
}

/**
 * Who could read a bundle within a period: whoever had a pool's identity while a generation was the
 * newest that was for the pool. What follows on without a gap is one line.
 */
export function readersWithin(
  audiences: readonly Audience[],
  holdings: readonly Holding[],
  within: Period,
): Reading[] {
  const found: Reading[] = [];
  for (const holding of holdings) {
    for (const audience of audiences.filter(({ pool }) => pool === holding.pool)) {
      const both = overlap(holding, audience);
      const period = both === undefined ? undefined : overlap(both, within);
      if (period === undefined) continue;
      const { who, pool } = holding;
      found.push({ who, pool, ...period, generations: [audience.generation] });
    }
  }
  return joined(found);
}

function joined(readings: readonly Reading[]): Reading[] {
  const inOrder = [...readings].sort(
    (a, b) => compare(a.who, b.who) || compare(a.pool, b.pool) || compare(a.from, b.from),
  );
  const result: Reading[] = [];
  for (const reading of inOrder) {
    const last = result.at(-1);
    const follows =
      last?.who === reading.who && last.pool === reading.pool && last.until === reading.from;
    if (!follows) {
      result.push(reading);
      continue;
    }
    const generations = [...new Set([...last.generations, ...reading.generations])];
    result[result.length - 1] = { ...last, until: reading.until, generations };
  }
  return result;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
