import { readRoster } from "../../cluster/cluster.ts";
import { openNode, readNode } from "../../cluster/configuration.ts";
import { freshnessOf } from "../../doctor/freshness.ts";
import { listRunning, type Running, type RunningBundle } from "../../doctor/running.ts";
import { parseService } from "../../doctor/unit-names.ts";
import { Failure } from "../../failure.ts";
import { requireRoot } from "../../host/privileges.ts";
import { describeGeneration } from "../../trust/statement.ts";
import { runs } from "../../service/stale-roots.ts";
import type { Context } from "../context.ts";
import { conclude } from "./conclusion.ts";
import { reportMirror } from "./mirror.ts";

/** What `status` is asked to do. */
export interface StatusOptions {
  /** Whether services that are behind are restarted. */
  readonly restartStale: boolean;
}

/**
 * Tells of each running service which generation of its bundles it has, which is the newest that
 * verifies, and which of its values should be replaced; restarts those that are behind, if asked.
 *
 * @param units - all that run, if none is named
 * @throws Failure `bundle/below-minimum`, `value/owed` if one runs on what no restart mends;
 *   `unit/behind` if one has an older generation; what keeps a newest one from being
 *   verified; `unit/not-started` if one didn't come up again; `privileges/needed`, `configuration/…`
 */
export async function status(
  context: Context,
  units: readonly string[],
  { restartStale }: StatusOptions,
): Promise<void> {
  requireRoot();
  const named = units.length === 0 ? undefined : units.map(parseService);
  const node = await readNode(context.configuration);
  const cluster = await openNode(node, context.now);
  const { record: roster } = await readRoster(cluster);
  let running = await listRunning(cluster, roster, named);
  if (restartStale) {
    const { restartBehind } = await import("./restart-stale.ts");
    await restartBehind(context, running);
    running = await listRunning(cluster, roster, named);
  }
  const { records, warnings } = await freshnessOf(cluster, roster, running);
  for (const warning of warnings) context.warn(warning);
  await report(context, running);
  const mirror = await reportMirror(context, node, cluster);
  context.result({ records, mirror, services: running.map(describeRunning) });
  conclude(running);
}

async function report(context: Context, running: readonly Running[]): Promise<void> {
  if (running.length === 0) context.print("no running service has its secrets from Sealaunch");
  else {
    await context.table(
      ["unit", "state", "bundle", "has", "newest", "", "since"],
      running.flatMap(rowsOf),
    );
  }
}

function rowsOf({ unit, activeState, way, decision, bundles }: Running): string[][] {
  if (decision === undefined) {
    const what = !runs({ activeState })
      ? "doesn't run"
      : way === "in place"
        ? "launched in place: nothing is kept of what it got"
        : "no decision is kept for its start";
    return [[unit, activeState, "-", "-", "-", what, "-"]];
  }
  if (bundles.length === 0) return [[unit, activeState, "-", "-", "-", "current", decision.at]];
  return bundles.map((bundle) => [
    unit,
    activeState,
    bundle.bundle,
    describeGeneration(bundle),
    newestOf(bundle) ?? "-",
    judgementOf(bundle),
    decision.at,
  ]);
}

function newestOf({ newest }: RunningBundle): string | undefined {
  return newest instanceof Failure ? undefined : describeGeneration(newest.record);
}

function judgementOf(bundle: RunningBundle): string {
  const { newest, isBehind, objections, path } = bundle;
  if (newest instanceof Failure) return `unknown: ${newest.message}`;
  const owed = objections?.owed ?? [];
  const found = [
    ...(isBehind ? [path === undefined ? "BEHIND" : "BEHIND by its path"] : []),
    ...(objections?.isOutOfUse === true ? ["OUT OF USE"] : []),
    ...(owed.length > 0 ? [`OWED: ${owed.join(" ")}`] : []),
  ];
  if (found.length > 0) return found.join(", ");
  return newestOf(bundle) === describeGeneration(bundle) ? "current" : "current: the same values";
}

function describeRunning({ unit, activeState, way, decision, bundles }: Running): unknown {
  return {
    unit,
    activeState,
    way,
    ...(decision === undefined ? {} : { since: decision.at, invocation: decision.invocation }),
    bundles: bundles.map((bundle) => ({
      bundle: bundle.bundle,
      has: describeGeneration(bundle),
      newest: newestOf(bundle) ?? null,
      isBehind: bundle.isBehind,
      path: bundle.path ?? null,
      isOutOfUse: bundle.objections?.isOutOfUse ?? null,
      owed: bundle.objections?.owed ?? null,
      unreplaced: bundle.objections?.unreplaced ?? null,
      ...(bundle.newest instanceof Failure
        ? { failure: { code: bundle.newest.code, message: bundle.newest.message } }
        : {}),
    })),
  };
}
