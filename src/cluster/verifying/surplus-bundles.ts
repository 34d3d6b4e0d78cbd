import { Failure } from "../../failure.ts";
import {
  bundleFolder,
  headersFolder,
  headersOf,
  recordFile,
  statementPath,
} from "../../formats/paths.ts";
import {
  decodeStatement,
  maxStatementSize,
  type Statement,
} from "../../formats/records/statement.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import type { Source } from "../../sources/source.ts";
import { isHash, listBundlesWithHeaders, type PoolEpoch } from "../bundles.ts";
import { readStatement, type Cluster } from "../cluster.ts";
import { statementsBefore } from "../past.ts";
import { addReader, addStrays, addUnneeded, isNumber, type Surplus } from "./surplus-kinds.ts";

/** The series and generation that a folder of a bundle is named by. */
export const generationOf = /^([0-9]{1,15})\.([0-9]{1,15})$/u;

/**
 * Adds what is over of bundles: headers for a pool that a value was never sealed for, payloads and headers
 * that no statement names, and whatever else lies among them. What can't be judged is left to those who
 * judge it.
 *
 * @param areAll - whether `bundles` are all that there are
 * @throws Failure `source/unreadable`
 */
export async function addBundleSurplus(
  cluster: Cluster,
  roster: VerifiedRoster,
  bundles: readonly string[],
  areAll: boolean,
  surplus: Surplus,
): Promise<void> {
  const headers = await headersByBundle(cluster.source, bundles, areAll);
  for (const bundle of bundles) {
    try {
      const read = await readStatement(cluster, roster, bundle);
      if (read === undefined) continue;
      const { generations } = await statementsBefore(cluster.source, read);
      const records = generations.map(({ record }) => record);
      await addSurplusOf(cluster, bundle, records, headers.get(bundle) ?? [], surplus);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }
}

/** For which epochs of which pools bundles may have headers: not each asked for each where they are all. */
async function headersByBundle(
  source: Source,
  bundles: readonly string[],
  areAll: boolean,
): Promise<ReadonlyMap<string, readonly PoolEpoch[]>> {
  const found = new Map<string, PoolEpoch[]>();
  for (const pool of (await source.list("headers")).sort()) {
    for (const epoch of (await source.list(headersOf(pool))).filter(isNumber).sort()) {
      const place = { pool, epoch: Number(epoch) };
      for (const bundle of areAll ? await listBundlesWithHeaders(source, [place]) : bundles) {
        found.set(bundle, [...(found.get(bundle) ?? []), place]);
      }
    }
  }
  return found;
}

async function addSurplusOf(
  { source }: Cluster,
  bundle: string,
  signed: readonly Statement[],
  epochs: readonly PoolEpoch[],
  surplus: Surplus,
): Promise<void> {
  const object = `bundle ${bundle}`;
  const folder = bundleFolder(bundle);
  const places = (await source.list(folder)).flatMap((name) => {
    const [, series, number] = generationOf.exec(name) ?? [];
    return number === undefined ? [] : [statementPath(bundle, Number(series), Number(number))];
  });
  const files: readonly string[] = [recordFile.statement, "signatures"];
  for (const place of places) {
    await addStrays(surplus, object, source, place, (name) => files.includes(name));
  }
  // Whatever a generation names that lies there is no surplus, also one that a joined branch has signed.
  const named = new Set(await namedIn({ source }, places));
  const values = `${folder}/values`;
  await addStrays(surplus, object, source, values, isHash);
  for (const hash of (await source.list(values)).filter(isHash).sort()) {
    if (named.has(hash)) continue;
    addUnneeded(
      surplus,
      object,
      source,
      `${values}/${hash}`,
      "is a payload that no statement names",
    );
  }
  for (const { pool, epoch } of epochs) {
    const headers = `${headersFolder(pool, epoch)}/${bundle}`;
    for (const hash of (await source.list(headers)).filter(isHash).sort()) {
      const path = `${headers}/${hash}`;
      const holding = signed.filter(({ credentials }) =>
        credentials.some(({ payload }) => payload === hash),
      );
      if (holding.length > 0 && !holding.some(({ audience }) => audience.includes(pool))) {
        const why = `is a header for pool ${pool}, and the value under it was never sealed for that`;
        addReader(surplus, object, source, path, why);
      } else if (!named.has(hash)) {
        addUnneeded(
          surplus,
          object,
          source,
          path,
          "is a header of a payload that no statement names",
        );
      }
    }
  }
}

/** The payloads that statements name, whoever has signed them. */
async function namedIn(
  { source }: Pick<Cluster, "source">,
  places: readonly string[],
): Promise<string[]> {
  const found = await Promise.all(
    places.map(async (place) => {
      const bytes = await source.read(`${place}/${recordFile.statement}`, maxStatementSize);
      try {
        return bytes === undefined ? [] : decodeStatement(bytes).credentials;
      } catch (error) {
        if (error instanceof Failure) return [];
        throw error;
      }
    }),
  );
  return found.flat().map(({ payload }) => payload);
}
