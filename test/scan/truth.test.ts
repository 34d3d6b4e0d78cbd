import { describe, expect, it } from "vitest";
import { component, indexed, judged } from "./judging.ts";
import { otherProducts, truth } from "./truth.ts";

const packages = [
  ...new Set(
    truth.flatMap(({ affected, possible = {}, unaffected }) => [
      ...affected,
      ...Object.keys(possible),
      ...unaffected,
    ]),
  ),
];

/** What is to be said of a package, by what upstreams say. */
function expected(name: string): readonly string[] {
  return truth
    .flatMap(({ id, affected, possible = {} }) => {
      if (affected.includes(name)) return [`${id}: vulnerable`];
      const reason = possible[name];
      return reason === undefined ? [] : [`${id}: possible: ${reason}`];
    })
    .sort();
}

describe("what upstreams say", () => {
  it("is told of more than forty packages, at affected and at mended versions", () => {
    const names = new Set(packages.map((name) => component(name).name));
    expect(names.size).toBeGreaterThanOrEqual(40);
    for (const { id, source, affected, possible = {}, unaffected } of truth) {
      expect([id, source]).toEqual([id, expect.stringContaining("https://")]);
      expect([
        id,
        affected.length + Object.keys(possible).length > 0 && unaffected.length > 0,
      ]).toEqual([id, true]);
    }
  });

  it("names every package that bears a product's name, as affected or not", () => {
    for (const { id, affected, possible = {}, unaffected } of truth) {
      const listed = [...affected, ...Object.keys(possible), ...unaffected];
      const about = new Set(
        [...affected, ...Object.keys(possible)].map((name) => component(name).name),
      );
      const bearing = packages.filter((name) => about.has(component(name).name));
      expect([id, bearing.filter((name) => !listed.includes(name))]).toEqual([id, []]);
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
