import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Range, satisfies, type Comparator } from "semver";
import { describe, expect, it } from "vitest";
import { advisoryData, component, indexed, osv, verdicts, withoutData } from "./judging.ts";

interface Entry {
  readonly vulnerable: string;
  readonly patched?: string;
}

/** The Node.js project's index, by its own numbers. */
function entries(): readonly (readonly [string, Entry])[] {
  const text = readFileSync(join(advisoryData ?? "", "nodejs/core/index.json"), "utf8");
  return Object.entries(JSON.parse(text) as Record<string, Entry>);
}

/** npm's comparators as events of OSV. */
function eventsOf(comparators: readonly Comparator[]): readonly object[] {
  const bounds = comparators.map(({ operator, semver }) => ({ operator, version: semver.version }));
  const low = bounds.find(({ operator }) => operator === ">=");
  const high = bounds.find(({ operator }) => operator === "<" || operator === "<=");
  const exact = bounds.find(({ operator }) => operator === "");
  if (bounds.some(({ operator }) => operator === ">")) throw new Error("unforeseen");
  if (exact?.version !== undefined && low === undefined && high === undefined)
    return [{ introduced: exact.version }, { last_affected: exact.version }];
  const end = high?.operator === "<" ? { fixed: high.version } : { last_affected: high?.version };
  return [{ introduced: low?.version ?? "0" }, ...(high === undefined ? [] : [end])];
}

/** What stands in `range`, as a record of OSV with a range for each of its alternatives. */
function recordOf(id: string, range: string): object {
  const ranges = new Range(range).set.map((comparators) => ({
    type: "SEMVER",
    events: eventsOf(comparators),
  }));
  const affected = [{ package: { ecosystem: "Bitnami", name: "nodejs" }, ranges }];
  return { ...osv(id, "Bitnami", "nodejs", []), affected };
}

describe.skipIf(withoutData !== undefined)(
  `the Node.js project's index${withoutData === undefined ? "" : `: ${withoutData}`}`,
  () => {
    it("agrees in every entry, for every release that it names, with npm's own reading of it", async () => {
      const all = entries();
      expect(all.length).toBe(171);
      const named = all.flatMap(([, { vulnerable, patched = "" }]) =>
        [...`${vulnerable} ${patched}`.matchAll(/[0-9]+\.[0-9]+\.[0-9]+/g)].map(String),
      );
      const releases = [...new Set(named)];
      expect(releases.length).toBeGreaterThan(150);
      // Whether it is in the vulnerable range, and whether in the patched one, by an index each.
      const number = (at: string): string => `CVE-2000-${at.padStart(4, "0")}`;
      const inRange = await indexed(
        ...all.map(([at, { vulnerable }]) => recordOf(number(at), vulnerable)),
      );
      const isPatched = await indexed(
        ...all.flatMap(([at, { patched = "" }]) =>
          patched === "" ? [] : recordOf(number(at), patched),
        ),
      );
      let affected = 0;
      for (const release of releases) {
        const node = component("nodejs-22", { version: release });
        const mended = new Set(verdicts(isPatched, node));
        const found = verdicts(inRange, node).filter((one) => !mended.has(one));
        const truth = all
          .filter(
            ([, { vulnerable, patched = "" }]) =>
              satisfies(release, vulnerable) && (patched === "" || !satisfies(release, patched)),
          )
          .map(([at]) => `${number(at)}: vulnerable`)
          .sort();
        affected += truth.length;
        expect([release, ...found]).toEqual([release, ...truth]);
      }
      expect(affected).toBeGreaterThan(1_000);
    });
  },
);
