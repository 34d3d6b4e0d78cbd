import { setTimeout as pause } from "node:timers/promises";
import { findProgram, run } from "./process.ts";
import { showUnit } from "./systemd.ts";

/** What ends at once is seen within this time, whatever its type lets systemd believe. */
const settlesWithinMs = 1_000;

/** Restarts a unit; whether it runs afterwards. @throws Failure `systemd/unavailable` */
export async function restartUnit(unit: string): Promise<boolean> {
  const systemctl = await findProgram("systemctl");
  const { exitCode } = await run(systemctl, ["restart", "--quiet", "--", unit]);
  if (exitCode !== 0) return false;
  const { invocation } = await showUnit(unit);
  await pause(settlesWithinMs);
  const after = await showUnit(unit);
  return after.activeState === "active" && after.invocation === invocation;
}

/** Restarts a unit if it runs; whether it runs afterwards, or didn't before. @throws Failure `program/missing` */
export async function restartIfRunning(unit: string): Promise<boolean> {
  const systemctl = await findProgram("systemctl");
  const { exitCode } = await run(systemctl, ["try-restart", "--quiet", "--", unit]);
  return exitCode === 0;
}
