import { join, resolve } from "node:path";
import { textOf } from "../../crypto/bytes.ts";
import { Failure } from "../../failure.ts";
import { readRegularFile } from "../../host/files.ts";
import { piecesOf } from "../../host/pieces.ts";
import { listFiles } from "../../host/walk.ts";
import { AdvisoryIndex } from "../../scan/advisories/advisory-index.ts";
import type { Component } from "../../scan/component.ts";
import { readAdvisories } from "../../scan/advisories/reading.ts";
import type { AdvisoryData } from "../../scan/report/report.ts";
import type { Rule } from "../../scan/rules/rule.ts";
import { readRules } from "../../scan/rules/rules.ts";
import type { Context } from "../context.ts";

/** Advisories, and what is to be known of them. */
export interface ReadAdvisories {
  readonly index: AdvisoryIndex;
  readonly data: AdvisoryData;
}

const day = 86_400_000;

/**
 * The advisories of files and of all files in directories, as far as they may be about one of
 * `components`.
 *
 * @param staleDays - when the newest of them is older, so are all
 * @throws Failure `file/absent`; `advisories/invalid` where a file, or all those in a directory, hold none
 */
export async function readAdvisoryFiles(
  context: Context,
  places: readonly string[],
  components: Iterable<Component>,
  staleDays: number,
): Promise<ReadAdvisories> {
  const index = new AdvisoryIndex(context.now, components);
  const found = await Promise.all(
    places.map((place) => filesAt(place, resolve(context.directory, place))),
  );
  const holding = new Set<string>();
  await context.each("file of advisories", found.flat(), async ({ place, path, isNamed }) => {
    const before = skippedOf(index);
    try {
      await readAdvisories(index, path, piecesOf(path));
      holding.add(place);
    } catch (error) {
      // A folder may hold other things than advisories.
      if (!(error instanceof Failure) || error.code !== "advisories/invalid" || isNamed)
        throw error;
      if (skippedOf(index) === before) index.add("", { skipped: error.message });
    }
  });
  const barren = places.findIndex((place) => !holding.has(place));
  if (barren !== -1) {
    const [place, count] = [places[barren] ?? "", found[barren]?.length ?? 0];
    const why =
      count === 0 ? "no file of JSON is in it" : `none of its ${String(count)} files holds any`;
    throw new Failure("advisories/invalid", `advisories ${JSON.stringify(place)}: ${why}`);
  }
  const { advisories, newest } = index.count;
  const ageDays =
    newest === undefined ? undefined : (context.now.getTime() - Date.parse(newest)) / day;
  const data = {
    files: places,
    count: advisories,
    newest: newest === undefined ? undefined : new Date(newest).toISOString(),
    ageDays,
    stale: ageDays === undefined || ageDays > staleDays,
    skipped: skippedOf(index),
  };
  return { index, data };
}

function skippedOf({ count }: AdvisoryIndex): number {
  return [...count.skipped.values()].reduce((sum, one) => sum + one, 0);
}

interface AdvisoryFile {
  /** As the command line names it, or the folder that it is in. */
  readonly place: string;
  readonly path: string;
  /** Whether the command line names it, and not a folder that it is in. */
  readonly isNamed: boolean;
}

async function filesAt(place: string, path: string): Promise<AdvisoryFile[]> {
  const below = await listFiles(path);
  if (below === undefined) return [{ place, path, isNamed: true }];
  return below
    .filter((file) => /\.(?:json|gz|zip)$/u.test(file))
    .map((file) => ({ place, path: join(path, file), isNamed: false }));
}

const maxRulesSize = 16 * 1024 * 1024;

/** The rules of files, in TOML or VEX; of what means nothing in them it is warned. @throws Failure `rules/invalid`, `file/absent` */
export async function readRuleFiles(context: Context, files: readonly string[]): Promise<Rule[]> {
  const rules: Rule[] = [];
  for (const file of files) {
    const path = resolve(context.directory, file);
    const bytes = await readRegularFile(path, maxRulesSize);
    if (bytes === undefined) throw new Failure("file/absent", `there is no ${path}`);
    const text = textOf(bytes);
    if (text === undefined) throw new Failure("rules/invalid", `${file} is not UTF-8`);
    const read = readRules(file, text);
    for (const warning of read.warnings) context.warn(warning);
    rules.push(...read.rules);
  }
  return rules;
}
