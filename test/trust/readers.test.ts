import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readersWithin, type Audience, type Holding } from "../../src/trust/readers.ts";

/** Day `n` of a year, as records write times. */
const day = (n: number): string =>
  new Date(Date.UTC(2026, 0, 1 + n)).toISOString().replace(".000Z", "Z");

const period = fc
  .tuple(fc.nat(20), fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }))
  .map(([from, length]) => ({
    from: day(from),
    until: length === undefined ? undefined : day(from + length),
  }));
const pool = fc.constantFrom("db", "web");
const holding: fc.Arbitrary<Holding> = fc
  .tuple(fc.constantFrom("node n1", "operator ops"), pool, period)
  .map(([who, name, when]) => ({ who, pool: name, ...when }));
const audience: fc.Arbitrary<Audience> = fc
  .tuple(fc.integer({ min: 1, max: 4 }), pool, period)
  .map(([generation, name, when]) => ({ generation, pool: name, ...when }));

const holds = (one: { from: string; until?: string | undefined }, time: string): boolean =>
  one.from <= time && (one.until === undefined || time < one.until);

describe("who could read a bundle", () => {
  it("is on each day who had the pool's identity while the bundle was for the pool", () => {
    fc.assert(
      fc.property(fc.array(audience), fc.array(holding), period, (audiences, holdings, within) => {
        const readings = readersWithin(audiences, holdings, within);
        for (let n = 0; n < 32; n++) {
          const time = day(n);
          for (const who of ["node n1", "operator ops"]) {
            for (const name of ["db", "web"]) {
              const expected =
                holds(within, time) &&
                holdings.some((one) => one.who === who && one.pool === name && holds(one, time)) &&
                audiences.some((one) => one.pool === name && holds(one, time));
              const told = readings.some(
                (one) => one.who === who && one.pool === name && holds(one, time),
              );
              expect(told).toBe(expected);
            }
          }
        }
      }),
    );
  });

  it("is one line for what follows on without a gap, and two for what doesn't", () => {
    const who = { who: "node n1", pool: "web" };
    const holdings = [
      { ...who, from: day(0), until: day(5) },
      { ...who, from: day(5), until: day(9) },
      { ...who, from: day(12), until: undefined },
    ];
    const audiences = [
      { pool: "web", generation: 1, from: day(0), until: day(3) },
      { pool: "web", generation: 2, from: day(3), until: undefined },
    ];
    expect(readersWithin(audiences, holdings, { from: day(0), until: undefined })).toEqual([
      { ...who, from: day(0), until: day(9), generations: [1, 2] },
      { ...who, from: day(12), until: undefined, generations: [2] },
    ]);
  });
});
