import { describe, expect, it } from "vitest";
import { compareVersions } from "../../../src/scan/version.ts";
import { component, indexed, indexedFiles, judged, withoutData } from "../judging.ts";
import { libraries } from "./libraries.ts";
import { otherProducts } from "./other-products.ts";
import { programs } from "./programs.ts";
import { affectedIn, type Row, unaffectedIn } from "./row.ts";
import { services } from "./services.ts";

const truth: readonly Row[] = [...libraries, ...services, ...programs];
const packages = [...new Set(truth.flatMap((row) => [...affectedIn(row), ...unaffectedIn(row)]))];
const nameOf = (name: string): string => component(name).name;

/** What is to be said of a package, by what upstreams say. */
function expected(name: string): readonly string[] {
  return truth
    .flatMap((row) => {
      const reason = row.possible?.[name];
      if (reason !== undefined) return [`${row.id}: possible: ${reason}`];
      const isTold = affectedIn(row).includes(name) || row.harsher?.includes(name) === true;
      return isTold ? [`${row.id}: vulnerable`] : [];
    })
    .sort();
}

describe("what upstreams say", () => {
  it("is told of more than forty packages, each at a release that is affected and at one that isn't", () => {
    const [affected, unaffected] = [affectedIn, unaffectedIn].map(
      (of) => new Set(truth.flatMap(of).map(nameOf)),
    );
    // Linux's headers are no Linux.
    expect([...(unaffected ?? [])].filter((name) => affected?.has(name) !== true)).toEqual([
      "linux-headers",
    ]);
    expect(affected?.size).toBeGreaterThan(40);
  });

  it("stands beside each row: where, and in which words", () => {
    for (const { id, sources } of truth) {
      expect([id, sources.length > 0]).toEqual([id, true]);
      for (const { at, says } of sources)
        expect([id, at, says]).toEqual([
          id,
          expect.stringMatching(/^https:\/\/[^ ]+$/),
          expect.stringMatching(/[0-9]/),
        ]);
    }
  });

  it("changes from one release to the next: none of the packages lies between the two", () => {
    const version = (name: string): string => component(name).version ?? "";
    for (const { id, turns } of truth) {
      expect([id, turns.length > 0]).toEqual([id, true]);
      for (const turn of turns) {
        const [low = "", high = ""] = turn.map(version).sort(compareVersions);
        expect([id, ...turn, compareVersions(low, high) < 0]).toEqual([id, ...turn, true]);
        const between = packages.filter(
          (name) =>
            nameOf(name) === nameOf(turn[0]) &&
            compareVersions(low, version(name)) < 0 &&
            compareVersions(version(name), high) < 0,
        );
        expect([id, ...turn, between]).toEqual([id, ...turn, []]);
      }
    }
  });

  it("names every package that bears a product's name, as affected or not", () => {
    for (const row of truth) {
      const listed = [...affectedIn(row), ...unaffectedIn(row)];
      const about = new Set(affectedIn(row).map(nameOf));
      const bearing = packages.filter((name) => about.has(nameOf(name)));
      expect([row.id, bearing.filter((name) => !listed.includes(name))]).toEqual([row.id, []]);
    }
  });

  it.for(packages)("is said of %s, nothing more and nothing less", async (name) => {
    const index = await indexed(...truth.map(({ record }) => record), ...otherProducts);
    const found = judged(index, name)
      .map(
        ({ advisory, verdict, reason }) =>
          `${advisory}: ${verdict}${verdict === "vulnerable" ? "" : `: ${reason}`}`,
      )
      .sort();
    expect(found).toEqual(expected(name));
  });
});

// Advisories of these rows that NVD and Bitnami have, as they stand there.
const recorded = [
  "CVE-2018-1000500",
  "CVE-2021-23017",
  "CVE-2021-3177",
  "CVE-2021-44647",
  "CVE-2022-32746",
  "CVE-2022-35737",
  "CVE-2023-4863",
  "CVE-2024-3094",
  "CVE-2024-32002",
];

describe.skipIf(withoutData !== undefined)(
  `what upstreams say, by the databases' own records${withoutData === undefined ? "" : `: ${withoutData}`}`,
  () => {
    it.for(recorded)("is said of every package, by that of %s", async (id) => {
      const index = await indexedFiles("nvd/osv-dev-items", "osv/bitnami");
      const row = truth.find((one) => one.id === id);
      const names = row === undefined ? [] : [...affectedIn(row), ...unaffectedIn(row)];
      const told = names.map((name) => {
        const found = judged(index, name).find(
          ({ advisory, aliases }) => advisory === id || aliases.includes(id),
        );
        return [name, found?.verdict === "vulnerable"];
      });
      expect(told).toEqual(names.map((name) => [name, row && affectedIn(row).includes(name)]));
      expect(told.length).toBeGreaterThan(1);
    });
  },
);
