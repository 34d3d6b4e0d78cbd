import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../../failure.ts";
import { findProgram, run } from "../process.ts";
import { showAll, showUnit } from "./systemd.ts";

/** What ends at once is seen within this time, whatever its type lets systemd believe. */
const settlesWithinMs = 1_000;

async function systemctl(...words: readonly string[]): Promise<boolean> {
  const { exitCode } = await run(await findProgram("systemctl"), [...words]);
  return exitCode === 0;
}

/** The version of systemd that is installed here, such as `252.39-1~deb12u2`; undefined if there is none. Anybody may ask. */
export async function systemctlVersion(): Promise<string | undefined> {
  const { stdout } = await findProgram("systemctl")
    .then((program) => run(program, ["--version"]))
    .catch(() => ({ stdout: undefined }));
  return /^systemd [0-9]+ \(([^)]+)\)/u.exec(Buffer.from(stdout ?? []).toString())?.[1];
}

/** Restarts a unit; whether it runs afterwards. @throws Failure `systemd/unavailable` */
export async function restartUnit(unit: string): Promise<boolean> {
  return (await settleUnit(unit, settlesWithinMs)) === undefined;
}

/**
 * Starts a unit, or restarts it; afterwards it has run for `settleMs`, or the answer says why not, in
 * systemd's words. One of type oneshot has done its work.
 *
 * @throws Failure `systemd/unavailable`
 */
export async function settleUnit(unit: string, settleMs: number): Promise<string | undefined> {
  if (!(await systemctl("restart", "--quiet", "--", unit))) return describeEnd(unit);
  const { invocation, activeState } = await showUnit(unit);
  if (activeState === "inactive") return describeEnd(unit);
  await pause(settleMs);
  const after = await showUnit(unit);
  const stayed = after.activeState === "active" && after.invocation === invocation;
  return stayed ? undefined : describeEnd(unit);
}

/** How a unit has ended, as systemd has it; undefined if it did what it is for. */
async function describeEnd(unit: string): Promise<string | undefined> {
  const service = await showAll(unit, "Service");
  const said = (name: string): string => String(service.get(name) ?? "");
  if (said("Type") === "oneshot" && said("Result") === "success") return undefined;
  const status = Number(service.get("ExecMainStatus") ?? 0);
  const ended = status === 0 ? "" : `, status ${String(status)}`;
  return `${said("Result") === "success" ? "it ended" : said("Result")}${ended}`;
}

/** Restarts a unit if it runs; whether it runs afterwards, or didn't before. @throws Failure `program/missing` */
export function restartIfRunning(unit: string): Promise<boolean> {
  return systemctl("try-restart", "--quiet", "--", unit);
}

/** Reloads a unit; whether all that belongs to it succeeded. @throws Failure `program/missing` */
export function reloadUnit(unit: string): Promise<boolean> {
  return systemctl("reload", "--quiet", "--", unit);
}

/** After it, systemd goes by the files of units as they are now. @throws Failure `systemd/unavailable` */
export async function reloadUnits(): Promise<void> {
  if (await systemctl("daemon-reload")) return;
  throw new Failure("systemd/unavailable", "systemd didn't read its units anew");
}

/** After it, a unit is started at boot, as its file says. @throws Failure `systemd/unavailable` */
export async function enableUnit(unit: string): Promise<void> {
  if (await systemctl("enable", "--quiet", "--", unit)) return;
  throw new Failure("systemd/unavailable", `systemd didn't enable ${unit}`);
}

/** After it, a unit that is gone isn't listed as failed. */
export async function forgetFailure(unit: string): Promise<void> {
  await systemctl("reset-failed", "--quiet", "--", unit);
}
