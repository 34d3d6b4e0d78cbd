import { describe, expect, it } from "vitest";
import { staleRoots, type UnitActivity } from "../../src/service/stale-roots.ts";

const day = 86_400_000;
const now = 1_000 * day;

/** Whether the roots go of a unit that was last used `usedDays` ago. */
function isStale(
  activity: Partial<UnitActivity>,
  { usedDays = 30, days = 7, upDays = 100 } = {},
): boolean {
  const whole = {
    loadState: "loaded",
    activeState: "inactive",
    inactiveSince: undefined,
    ...activity,
  };
  const roots = [{ unit: "a.service", storePaths: [], usedAt: now - usedDays * day }];
  const keeping = { days, now, bootedAt: now - upDays * day };
  return staleRoots(roots, new Map([["a.service", whole]]), keeping).length === 1;
}

describe("what a unit keeps in the store", () => {
  it("goes if the unit didn't run for the days that were asked for", () => {
    expect(isStale({})).toBe(true);
    expect(isStale({ activeState: "failed" })).toBe(true);
    expect(isStale({}, { usedDays: 7 })).toBe(true);
    expect(isStale({}, { usedDays: 6.99 })).toBe(false);
  });

  it("stays for as long after the unit's end, however long it ran", () => {
    expect(isStale({ inactiveSince: now - 6 * day })).toBe(false);
    expect(isStale({ inactiveSince: now - 8 * day })).toBe(true);
    expect(isStale({ inactiveSince: now - 8 * day }, { usedDays: 6 })).toBe(false);
  });

  it.each(["active", "activating", "reloading", "deactivating", "maintenance"])(
    "stays while the unit is %s, even if its file is gone",
    (activeState) => {
      expect(isStale({ activeState })).toBe(false);
      expect(isStale({ activeState, loadState: "not-found" })).toBe(false);
      expect(isStale({ activeState }, { days: 0 })).toBe(false);
    },
  );

  it("goes at once if there is no such unit", () => {
    expect(isStale({ loadState: "not-found" }, { usedDays: 0 })).toBe(true);
    for (const loadState of ["masked", "bad-setting", "error"]) {
      expect(isStale({ loadState }, { usedDays: 0 })).toBe(false);
    }
  });

  it("stays on the first day after a boot", () => {
    expect(isStale({}, { upDays: 0.9 })).toBe(false);
    expect(isStale({ loadState: "not-found" }, { upDays: 0.9 })).toBe(false);
    expect(isStale({}, { upDays: 1 })).toBe(true);
  });

  it("goes at once if nothing is to be kept", () => {
    const soon = { usedDays: 0, days: 0, upDays: 0 };
    expect(isStale({}, soon)).toBe(true);
    expect(isStale({ inactiveSince: now }, soon)).toBe(true);
  });

  it("stays if the clock went back", () => {
    expect(isStale({}, { usedDays: -1 })).toBe(false);
  });

  it("stays if nothing is known of the unit", () => {
    const roots = [{ unit: "a.service", storePaths: [], usedAt: 0 }];
    expect(staleRoots(roots, new Map(), { days: 0, now, bootedAt: 0 })).toEqual([]);
  });
});
