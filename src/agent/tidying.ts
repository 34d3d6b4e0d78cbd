import { listRoots, removeRoots, touchRoots } from "../host/gc-roots.ts";
import { bootedAt } from "../host/machine.ts";
import { showUnit, type UnitFacts } from "../host/systemd/systemd.ts";
import { runs, staleRoots } from "../service/stale-roots.ts";
import { forgetDecision, listDecisions, readDecision } from "./decisions.ts";

/**
 * After it, nothing is kept for units that are gone: no decision of a start that is over, and no store
 * path of a unit that hasn't run for so long.
 *
 * @param state - the node's directory
 * @param keepClosures - in days
 * @throws Failure `systemd/unavailable`, `write/refused`
 */
export async function tidy(state: string, keepClosures: number, now: Date): Promise<void> {
  await forgetOldDecisions();
  const roots = await listRoots(state);
  // systemd may have forgotten a unit whose file is there: then asking loads it.
  const activities = new Map<string, UnitFacts>();
  for (const { unit } of roots) activities.set(unit, await showUnit(unit));
  const keeping = { days: keepClosures, now: now.getTime(), bootedAt: bootedAt(now) };
  for (const [unit, activity] of activities) {
    if (runs(activity)) touchRoots(state, unit, now);
  }
  for (const one of staleRoots(roots, activities, keeping)) await removeRoots(state, one);
}

/** Reloads are settled by who watches services. */
async function forgetOldDecisions(): Promise<void> {
  for (const invocation of await listDecisions()) {
    const decision = await readDecision(invocation).catch(() => undefined);
    const facts = decision === undefined ? undefined : await showUnit(decision.unit);
    if (facts?.invocation !== invocation || facts.activeState === "inactive") {
      await forgetDecision(invocation);
    }
  }
}
