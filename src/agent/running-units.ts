import type { Decision } from "../formats/decision.ts";
import { showUnit, type UnitFacts } from "../host/systemd/systemd.ts";
import { runs } from "../service/stale-roots.ts";
import { listDecisions, readDecision } from "./decisions.ts";

/** A unit that runs on what the agent has decided. */
export interface RunningUnit {
  readonly facts: UnitFacts;
  readonly decision: Decision;
}

/** The units that run on what was decided for their present start. @throws Failure `systemd/unavailable` */
export async function listRunningUnits(): Promise<RunningUnit[]> {
  const found: RunningUnit[] = [];
  for (const invocation of await listDecisions()) {
    const decision = await readDecision(invocation).catch(() => undefined);
    if (decision === undefined) continue;
    const facts = await showUnit(decision.unit);
    if (facts.invocation === invocation && runs(facts)) found.push({ facts, decision });
  }
  return found;
}
