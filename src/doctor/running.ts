import { listDecisions, readDecision } from "../agent/decisions.ts";
import type { Cluster, ReadStatement } from "../cluster/cluster.ts";
import { createNewest, type Newest } from "../cluster/newest.ts";
import { Failure } from "../failure.ts";
import type { Decision } from "../formats/decision.ts";
import type { Statement } from "../formats/records/statement.ts";
import { listServices, showUnit, type UnitFacts } from "../host/systemd/systemd.ts";
import { changedBundles } from "../trust/changed-bundles.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { runs } from "../service/stale-roots.ts";
import { objectionsTo, type Objections } from "./values.ts";
import { wayOf, type Way } from "./way.ts";

/** A bundle of a running service. */
export interface RunningBundle {
  readonly bundle: string;
  readonly series: number;
  readonly generation: number;
  /** The store path that the start took it from, which another start takes it from again. */
  readonly path: string | undefined;
  /** The newest of the source; why there is none, if it or its pools can't be verified. */
  readonly newest: ReadStatement | Failure;
  /** Whether a restart would get it something else, or has to since what it has is out of use. */
  readonly isBehind: boolean;
  /** What else is to be said against what it has; undefined if the newest can't be verified. */
  readonly objections: Objections | undefined;
}

/** A service that has started with secrets. */
export interface Running {
  readonly unit: string;
  readonly activeState: string;
  readonly way: Way;
  /** What its start got; undefined if that isn't known. */
  readonly decision: Decision | undefined;
  readonly bundles: readonly RunningBundle[];
}

/**
 * The running services that have their secrets from Sealaunch, by name.
 *
 * @param units - only these, also if they don't run; all if undefined
 * @throws Failure `unit/absent`, `systemd/unavailable`
 */
export async function listRunning(
  cluster: Cluster,
  roster: VerifiedRoster,
  units: readonly string[] | undefined,
): Promise<Running[]> {
  const decisions = await readDecisions();
  const newest = createNewest(cluster, roster);
  const candidates = units ?? (await listServices()).filter(runs).map(({ unit }) => unit);
  const found: Running[] = [];
  for (const unit of candidates) {
    const facts = await showUnit(unit);
    if (units !== undefined) requireUnit(facts);
    const decision = runs(facts) ? decisions.get(facts.invocation) : undefined;
    // What PID 1 has now may be another command than the one that was started.
    const way = decision === undefined ? wayOf(facts) : "agent";
    if (way === undefined) continue;
    const { activeState } = facts;
    const bundles = await Promise.all(
      decision?.bundles.map((one) => standingOf(cluster, roster, newest, one, decision)) ?? [],
    );
    found.push({ unit, activeState, way, decision, bundles });
  }
  return found;
}

function requireUnit(facts: UnitFacts): void {
  const { unit, loadState } = facts;
  if (loadState === "not-found") throw new Failure("unit/absent", `systemd has no ${unit}`);
  if (wayOf(facts) !== undefined || runs(facts)) return;
  throw new Failure(
    "unit/not-guarded",
    `no ExecStartPre= or ExecStart= of ${unit} is 'sealaunch run' or 'sealaunch check'`,
    `sealaunch unit --wrap ${unit}`,
  );
}

/** Every decision by the start that it is for. One that can't be read counts as none. */
async function readDecisions(): Promise<ReadonlyMap<string, Decision>> {
  const all = await Promise.all(
    (await listDecisions()).map((invocation) => readDecision(invocation).catch(() => undefined)),
  );
  return new Map(
    all.filter((one) => one !== undefined).map((decision) => [decision.invocation, decision]),
  );
}

type Started = Decision["bundles"][number];
/** How a bundle that a start got stands beside its newest generation. */
async function standingOf(
  cluster: Cluster,
  roster: VerifiedRoster,
  newestOf: Newest,
  started: Started,
  decision: Decision,
): Promise<RunningBundle> {
  const { bundle, series, generation, path } = started;
  const newest = await newestOf(bundle);
  const has = { bundle, series, generation, path };
  const unknown = { ...has, isBehind: false, objections: undefined };
  if (newest instanceof Failure) return { ...unknown, newest };
  const objections = await failureOr(() =>
    objectionsTo(cluster, roster, started, newest, decision.credentials),
  );
  if (objections instanceof Failure) return { ...unknown, newest: objections };
  const { record } = newest;
  const isOlder = record.series !== series || record.generation > generation;
  const hasSame = hasSameValues(bundle, decision, record) && !objections.isOutOfUse;
  return { ...has, newest, isBehind: isOlder && !hasSame, objections };
}

/** Whether a start got of a bundle what another would get, such as where only dates were signed anew. */
function hasSameValues(bundle: string, { payloads = [] }: Decision, newest: Statement): boolean {
  const own = payloads.filter((one) => one.bundle === bundle);
  return own.length > 0 && changedBundles(own, [newest]).length === 0;
}

async function failureOr<T>(work: () => Promise<T>): Promise<T | Failure> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}
