import { wipe } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import { showAll, showUnit, type UnitFacts } from "../host/systemd/systemd.ts";
import { isReloadGuard } from "../service/reloading.ts";
import { runs } from "../service/stale-roots.ts";
import { decisionOf } from "./answers.ts";
import {
  forgetRefresh,
  keepDecision,
  keepRefresh,
  listRefreshes,
  readDecision,
  readRefresh,
  type Refresh,
} from "./decisions.ts";
import { openHere } from "./rehearsal.ts";
import type { Means, Prepared } from "./start.ts";
import { wantedBy } from "./wanted.ts";

// A reload for which systemd fetches a running unit's credentials anew (docs/decisions/0029).

/**
 * What a reload of a running unit gets: the newest that the unit may have. Nothing is waited for or fetched: it has
 * what it runs on, and goes on with it if this throws. The decision is kept before this returns.
 *
 * @param process - that asks, as {@link Refresh} names it
 * @throws Failure `unit/not-guarded` where nothing would check what arrives; `agent/unavailable` if another agent
 *   has begun to answer; whatever would keep the unit from starting
 */
export async function prepareRefresh(
  facts: UnitFacts,
  process: string,
  means: Means,
  now: Date,
): Promise<Prepared> {
  const { unit, invocation, reloads } = facts;
  const refresh = { invocation, process };
  if (!isReloadGuard(reloads[0]?.words ?? [])) {
    throw new Failure(
      "unit/not-guarded",
      `the first ExecReload= of ${unit} is not 'sealaunch reload', so that nothing would check what a reload brings it`,
    );
  }
  await forgetFormer(unit, refresh);
  const [node, before] = await Promise.all([means.node(), readDecision(invocation)]);
  const wanted = wantedBy(facts);
  const { answers, opening } = await openHere(unit, wanted, node, means, now);
  try {
    const newest = decisionOf(facts, wanted, opening, now);
    // It runs, and keeps in the store, what it was started with.
    const { programs, files, at } = before ?? newest;
    const decision = { ...newest, programs, files, at };
    keepRefresh(refresh, decision);
    const { mirroredAt, warnings } = opening;
    return { answers, decision, isNew: true, mirroredAt, warnings };
  } catch (error) {
    wipe(...answers.values());
    throw error;
  }
}

/** After it, nothing is known of former reloads of that start. One that another agent has begun to answer fails whole. */
async function forgetFormer(unit: string, { invocation, process }: Refresh): Promise<void> {
  const former = (await listRefreshes()).filter((one) => one.invocation === invocation);
  if (former.some((one) => one.process === process)) {
    throw new Failure(
      "agent/unavailable",
      `the agent ended while it answered this reload of ${unit}`,
      `systemctl reload ${unit}`,
    );
  }
  for (const one of former) await forgetRefresh(one);
}

/** What is known of the bytes that units have. */
export interface Digests {
  /** By invocation, the digest of what it has. */
  readonly digests: Map<string, string>;
  /** By invocation, the digest of what a reload brings it that isn't settled. */
  readonly refreshed: Map<string, string>;
}

/**
 * After it, what reloads have brought counts as what their units run on, for each that is over and succeeded, the
 * commands of `ExecReload=` with it.
 *
 * @returns the starts, by invocation, of which a reload is over and failed
 * @throws Failure `systemd/unavailable`, `write/refused`
 */
export async function settleRefreshes({ digests, refreshed }: Digests): Promise<Set<string>> {
  const failed = new Set<string>();
  for (const refresh of await listRefreshes()) {
    const { invocation } = refresh;
    const decision = await readRefresh(refresh).catch(() => undefined);
    const facts = decision === undefined ? undefined : await showUnit(decision.unit);
    if (decision !== undefined && facts?.invocation === invocation && runs(facts)) {
      if (["refreshing", "reloading"].includes(facts.activeState)) continue;
      const result = (await showAll(decision.unit, "Service")).get("ReloadResult");
      const digest = refreshed.get(invocation);
      if (result !== "success") failed.add(invocation);
      else {
        keepDecision(decision);
        // Else nobody knows any more what it has.
        if (digest === undefined) digests.delete(invocation);
        else digests.set(invocation, digest);
      }
    }
    refreshed.delete(invocation);
    await forgetRefresh(refresh);
  }
  return failed;
}
