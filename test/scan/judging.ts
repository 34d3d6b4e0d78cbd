import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AdvisoryIndex } from "../../src/scan/advisories/advisory-index.ts";
import { componentOf, type Component } from "../../src/scan/component.ts";
import { readAdvisories } from "../../src/scan/advisories/reading.ts";
import type { Rule } from "../../src/scan/rules/rule.ts";
import type { Judgement } from "../../src/scan/judgement.ts";
import { judge } from "../../src/scan/verdict.ts";

export const now = new Date("2026-11-01T00:00:00Z");

const data = process.env["SEALAUNCH_TEST_DATA"];

/** The folder of real data. Where there is none, tests that need it are skipped with this reason. */
export const advisoryData = data === undefined ? undefined : join(data, "advisories");
export const withoutData =
  data === undefined ? "SEALAUNCH_TEST_DATA doesn't name a folder of test vectors" : undefined;

/** The bytes of `text`, as a file gives them: in pieces. */
export async function* inPieces(
  bytes: Uint8Array,
  size = 65_536,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length; at += size)
    yield await Promise.resolve(Uint8Array.from(bytes.subarray(at, at + size)));
}

/** An index of records, read as from a file each. */
export async function indexed(...records: readonly unknown[]): Promise<AdvisoryIndex> {
  const index = new AdvisoryIndex(now);
  for (const record of records)
    await readAdvisories(index, "test", inPieces(Buffer.from(JSON.stringify(record))));
  return index;
}

/** An index of every file of JSON below folders of the real data. */
export async function indexedFiles(...folders: readonly string[]): Promise<AdvisoryIndex> {
  const index = new AdvisoryIndex(now);
  for (const folder of folders)
    for (const file of readdirSync(join(advisoryData ?? "", folder), { recursive: true }).map(
      String,
    ))
      if (file.endsWith(".json")) {
        const bytes = readFileSync(join(advisoryData ?? "", folder, file));
        await readAdvisories(index, file, inPieces(bytes));
      }
  return index;
}

/** The component at a store path of that name. */
export function component(name: string, more: Partial<Component> = {}): Component {
  const found = componentOf(`/nix/store/2q5wk1k1j3n4ls0d8ay5n1ffbjz0fcrm-${name}`);
  if (found === undefined) throw new Error(`${name} is no package`);
  return { ...found, ...more };
}

export function judged(
  index: AdvisoryIndex,
  of: string | Component,
  rules: readonly Rule[] = [],
): readonly Judgement[] {
  return judge(typeof of === "string" ? component(of) : of, index, rules, now);
}

/** `ID: verdict` of each judgement, in order of the ids. */
export function verdicts(index: AdvisoryIndex, of: string | Component): readonly string[] {
  return judged(index, of)
    .map(({ advisory, verdict }) => `${advisory}: ${verdict}`)
    .sort();
}

interface Match {
  readonly cpe: string;
  readonly isVulnerable?: false;
  readonly bounds?: Readonly<Record<string, string>>;
}

interface Node {
  readonly operator?: "AND" | "OR";
  readonly negate?: boolean;
  readonly matches: readonly Match[];
}

/** A configuration as NVD writes it. `cpe` is `part:vendor:product`, or more of it. */
export function configuration(nodes: readonly Node[], operator?: "AND" | "OR"): object {
  return {
    ...(operator === undefined ? {} : { operator }),
    nodes: nodes.map(({ operator: of = "OR", negate = false, matches }) => ({
      operator: of,
      negate,
      cpeMatch: matches.map(({ cpe, isVulnerable = true, bounds = {} }) => ({
        vulnerable: isVulnerable,
        criteria: `cpe:2.3:${cpe}${":*".repeat(Math.max(0, 11 - cpe.split(":").length))}`,
        ...bounds,
      })),
    })),
  };
}

/** A record of NVD about products in a range. */
export function nvd(id: string, matches: readonly Match[], more: object = {}): object {
  return { cve: { id, configurations: [configuration([{ matches }])], ...more } };
}

/** A record of OSV. */
export function osv(
  id: string,
  ecosystem: string,
  name: string,
  events: readonly object[],
  more: object = {},
): object {
  const affected = [{ package: { ecosystem, name }, ranges: [{ type: "SEMVER", events }] }];
  return { id, affected, ...more };
}
