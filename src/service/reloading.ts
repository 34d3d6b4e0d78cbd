import { Failure } from "../failure.ts";
import type { OnChange } from "./on-change.ts";

/** The first systemd with `RefreshOnReload=credentials` (systemd.service(5)). */
const firstVersion = 260;

/** What PID 1 has of a unit that is to be reloaded when there are newer values for it. */
export interface Reloadable {
  readonly unit: string;
  /** systemd's, such as `262-1`. */
  readonly version: string;
  readonly type: string;
  /** `RefreshOnReload=`, as a list. */
  readonly refreshed: readonly string[];
  /** The first command of `ExecReload=`, or nothing. */
  readonly first: readonly string[];
}

/**
 * Why a reload wouldn't bring a service its new values, or would bring some that nobody has checked; undefined
 * if it does what it is to.
 *
 * @param how - what is to become of the unit
 */
export function refuseReload(
  { unit, version, type, refreshed, first }: Reloadable,
  how: OnChange["how"],
): Failure | undefined {
  const tooOld = refuseVersion(unit, version, how);
  if (tooOld !== undefined) return tooOld;
  const refused = (what: string, hint: string): Failure => refusal(unit, how, what, hint);
  if (!refreshed.includes("credentials")) {
    return refused(
      `RefreshOnReload= has ${refreshed.join(" ") || "nothing"}, so that a reload brings it no new credential`,
      "RefreshOnReload=credentials, or write the unit anew with 'sealaunch unit'",
    );
  }
  const toldFirst = refuseType(unit, type, how);
  if (toldFirst !== undefined) return toldFirst;
  if (isReloadGuard(first)) return undefined;
  return refused(
    `its first ExecReload= is ${first[0] ?? "none"}, so that nothing checks that new values are whole`,
    "ExecReload=…/sealaunch reload … before all others, or write the unit anew with 'sealaunch unit'",
  );
}

/** Why a version of systemd doesn't do it; undefined if it does. */
export function refuseVersion(
  unit: string,
  version: string,
  how: OnChange["how"],
): Failure | undefined {
  if (how === "restart" || Number.parseInt(version, 10) >= firstVersion) return undefined;
  return refusal(
    unit,
    how,
    `a running service is given no new credential before systemd ${String(firstVersion)}; this is ${version}`,
    "let a change restart it: --on-change restart, or do nothing: --on-change nothing",
  );
}

/** Why a unit of that type can't be reloaded for newer values; undefined if it can. */
export function refuseType(unit: string, type: string, how: OnChange["how"]): Failure | undefined {
  if (type !== "notify-reload") return undefined;
  return refusal(
    unit,
    how,
    "Type=notify-reload: systemd tells it of new values before anything has checked that they are whole",
    "Type=notify and --on-change signal",
  );
}

function refusal(unit: string, how: OnChange["how"], what: string, hint: string): Failure {
  return new Failure("unit/setting", `${unit} has --on-change ${how}, and ${what}`, hint);
}

/** Whether a command is the wrapper's that sees, at a reload, that everything has arrived. */
export function isReloadGuard([program = "", verb]: readonly string[]): boolean {
  return program.endsWith("/sealaunch") && verb === "reload";
}
