import { readDecision } from "../../agent/decisions.ts";
import { wantedBy } from "../../agent/wanted.ts";
import { examineClosure } from "../../doctor/closure.ts";
import { failureOf } from "../../doctor/failures.ts";
import { commandsOf } from "../../doctor/unit-asks.ts";
import type { Failure } from "../../failure.ts";
import type { RunsNow } from "../../formats/install-answer.ts";
import { systemdVersion, type UnitFacts } from "../../host/systemd/systemd.ts";
import { refuseVersion } from "../../service/reloading.ts";
import { runs } from "../../service/stale-roots.ts";
import type { Unit } from "../../service/unit-file.ts";

/** What a unit runs on now, by what was decided for its start; undefined if it doesn't run, or nothing is kept. */
export async function runsNow(facts: UnitFacts): Promise<RunsNow | undefined> {
  if (!runs(facts)) return undefined;
  const decision = await readDecision(facts.invocation).catch(() => undefined);
  if (decision === undefined) return undefined;
  const { programs, bundles } = decision;
  return {
    programs,
    bundles: bundles.map(({ bundle, series, generation }) => ({ bundle, series, generation })),
  };
}

/**
 * Why a unit can't run here as it is to: what it is to run can't be had by this machine's Nix, or this systemd doesn't
 * reload it for newer values; undefined if it is here, or the caches that nix.conf names have it, signed by a key
 * that is trusted here. Nothing is fetched.
 */
export async function lackOf(unit: string, file: Unit): Promise<Failure | undefined> {
  let lack: Failure | undefined;
  const malformed = await failureOf(async () => {
    const wanted = wantedBy({
      unit,
      commands: commandsOf(unit, file),
      reloads: commandsOf(unit, file, ["ExecReload"]),
    });
    const how = wanted.onChange?.how ?? "restart";
    lack = how === "restart" ? undefined : refuseVersion(unit, await systemdVersion(), how);
    if (lack !== undefined) return;
    // It is told what can't be had; how long it takes is for the start itself.
    const findings = await examineClosure(unit, wanted, Infinity);
    lack = findings.find(({ severity }) => severity === "error")?.failure;
  });
  return malformed ?? lack;
}
