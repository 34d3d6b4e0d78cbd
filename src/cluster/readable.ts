import { Failure } from "../failure.ts";
import type { Statement } from "../formats/records/statement.ts";
import { owedValues } from "../trust/owed-values.ts";
import type { VerifiedPool } from "../trust/pool.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { isOutOfUse } from "../trust/statement.ts";
import { listBundles } from "./bundles.ts";
import { readStatement, type Cluster } from "./cluster.ts";
import type { Each } from "./each.ts";
import { gapsOf, statementsBefore } from "./past.ts";

/** What of a bundle the members of pools could read. */
export interface ReadableBundle {
  readonly bundle: string;
  /** Of its newest generation. */
  readonly credentials: readonly string[];
  /** Earlier generations with such values that would start wherever the store has them, the newest first. */
  readonly earlier: readonly {
    readonly generation: number;
    readonly credentials: readonly string[];
  }[];
  /**
   * The first generation with none of it, if the next one replaces all that the newest has: the minimum that
   * puts the rest out of use.
   */
  readonly minimum: number;
}

/** What could be read, and what isn't known. */
export interface Readable {
  readonly bundles: readonly ReadableBundle[];
  /** Of bundles that can't be judged, and of histories that are cut. */
  readonly gaps: readonly string[];
}

/**
 * What of all bundles could be read by somebody who was shut out of pools, in any generation that a start
 * would still take: a bundle that is pinned in the store stays what it was.
 *
 * @param current - pools of which all counts that their members can read, also what was sealed since
 * @throws Failure `source/unreadable`
 */
export async function readableBy(
  cluster: Cluster,
  roster: VerifiedRoster,
  pools: readonly VerifiedPool[],
  current: readonly string[],
  each: Each,
): Promise<Readable> {
  const bundles: ReadableBundle[] = [];
  const gaps: string[] = [];
  const namesIn = (statement: Statement): string[] => [
    ...new Set([
      ...owedValues(statement, pools).map(({ credential }) => credential),
      ...statement.credentials
        .filter(({ epochs }) => epochs.some(({ pool }) => current.includes(pool)))
        .map(({ name }) => name),
    ]),
  ];
  await each("bundle", await listBundles(cluster.source), async (bundle) => {
    try {
      const newest = await readStatement(cluster, roster, bundle);
      if (newest === undefined) return;
      const chain = await statementsBefore(cluster.source, newest);
      const found = chain.generations
        .filter(({ record }) => !isOutOfUse(record, roster, bundle))
        .map(({ record }) => ({ generation: record.generation, credentials: namesIn(record) }))
        .filter(({ credentials }) => credentials.length > 0);
      const before = { ...newest.record, generation: (chain.brokenAt ?? 0) - 1 };
      if (!isOutOfUse(before, roster, bundle)) gaps.push(...gapsOf(`bundle ${bundle}`, chain));
      const [last] = found;
      if (last === undefined) return;
      const isNewest = last.generation === newest.record.generation;
      const credentials = isNewest ? last.credentials : [];
      const earlier = isNewest ? found.slice(1) : found;
      bundles.push({ bundle, credentials, earlier, minimum: last.generation + 1 });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      gaps.push(`bundle ${bundle} can't be judged: ${error.message}`);
    }
  });
  return { bundles, gaps };
}
