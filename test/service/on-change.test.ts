import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Failure } from "../../src/failure.ts";
import { parseOnChange, turnLength, turnOf } from "../../src/service/on-change.ts";

describe("what becomes of a service on a change", () => {
  it.each([
    ["restart", "restart", undefined, 30],
    ["restart:3", "restart", 3, 30],
    ["restart:/60", "restart", undefined, 60],
    ["restart:3/60", "restart", 3, 60],
    ["restart:100000/3600", "restart", 100_000, 3600],
    ["reload", "reload", undefined, 30],
    ["reload:3/60", "reload", 3, 60],
    ["signal", "signal", undefined, 30],
    ["signal=USR1", "signal", undefined, 30],
    ["signal=WINCH:/60", "signal", undefined, 60],
  ])("is said as %s", (text, how, atOnce, seconds) => {
    expect(parseOnChange(text)).toEqual({ how, spread: { atOnce, seconds } });
  });

  it("is said as nothing", () => {
    expect(parseOnChange("nothing")).toBeUndefined();
  });

  it.each([
    ["", "usage/invalid"],
    ["restart:", "usage/invalid"],
    ["restart:/", "usage/invalid"],
    ["restart:0", "usage/invalid"],
    ["restart:03", "usage/invalid"],
    ["restart:3/", "usage/invalid"],
    ["restart:3/0", "usage/invalid"],
    ["restart:3/3601", "usage/invalid"],
    ["restart:100001", "usage/invalid"],
    ["restarts", "usage/invalid"],
    ["restart\n", "usage/invalid"],
    ["reload=HUP", "usage/invalid"],
    ["signal:HUP", "usage/invalid"],
    ["signal=KILL", "usage/invalid"],
    ["signal=", "usage/invalid"],
    ["signal=USR1\n", "usage/invalid"],
    ["signal=USR1;reboot", "usage/invalid"],
  ])("isn't said as %j", (text, code) => {
    expect(() => parseOnChange(text)).toThrow(expect.objectContaining({ code }) as Failure);
  });
});

const pools = fc.record({
  count: fc.integer({ min: 1, max: 40 }),
  atOnce: fc.option(fc.integer({ min: 1, max: 45 }), { nil: undefined }),
  seconds: fc.integer({ min: 1, max: 3600 }),
  change: fc.string(),
  from: fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }),
});

const membersOf = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `n${String(index)}`);

describe("a node's turn", () => {
  it("comes in a period in which no more members have theirs than may restart at once", () => {
    fc.assert(
      fc.property(pools, ({ count, atOnce, seconds, change, from }) => {
        const members = membersOf(count);
        const spread = { atOnce, seconds };
        const most = atOnce ?? Math.ceil(count / 10);
        fc.pre(count > most);
        const turns = members.map((node) => turnOf({ node, members, change, spread }, from));
        const periods = Map.groupBy(turns, (turn) => Math.floor(turn / (seconds * 1000)));
        // Those whose turn was over at `from` have theirs in the next cycle, in a period of the same members.
        for (const turn of periods.values()) expect(turn.length).toBeLessThanOrEqual(most);
      }),
    );
  });

  it("is never past, and comes within as many periods as it takes for all", () => {
    fc.assert(
      fc.property(pools, ({ count, atOnce, seconds, change, from }) => {
        const members = membersOf(count);
        const spread = { atOnce, seconds };
        const most = Math.min(count, atOnce ?? Math.ceil(count / 10));
        const longest = Math.ceil(count / most) * seconds * 1000;
        for (const node of members) {
          const turn = turnOf({ node, members, change, spread }, from);
          expect(turn).toBeGreaterThanOrEqual(from);
          expect(turn - from).toBeLessThanOrEqual(longest);
        }
      }),
    );
  });

  it("ends, with the time that a restart may begin in, before the next period begins", () => {
    fc.assert(
      fc.property(pools, ({ count, seconds, change, from }) => {
        fc.pre(count > 1);
        const members = membersOf(count);
        const spread = { atOnce: 1, seconds };
        const period = seconds * 1000;
        for (const node of members) {
          const turn = turnOf({ node, members, change, spread }, from);
          const end = turn + turnLength(spread);
          expect(Math.floor((end - 1) / period)).toBe(Math.floor(turn / period));
        }
      }),
    );
  });

  it("doesn't depend on the order of the member list, and does on the change", () => {
    const members = membersOf(10);
    const spread = { atOnce: 1, seconds: 30 };
    const order = (change: string, list: readonly string[]): string[] =>
      members.toSorted(
        (a, b) =>
          turnOf({ node: a, members: list, change, spread }, 0) -
          turnOf({ node: b, members: list, change, spread }, 0),
      );
    expect(order("dns 2", members.toReversed())).toEqual(order("dns 2", members));
    expect(order("dns 3", members)).not.toEqual(order("dns 2", members));
  });

  it("is at once where all may restart at once, as where there is one node", () => {
    const spread = { atOnce: undefined, seconds: 30 };
    expect(turnOf({ node: "n1", members: ["n1"], change: "dns 2", spread }, 12_345)).toBe(12_345);
  });
});
