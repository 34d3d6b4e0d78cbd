import { Failure } from "../failure.ts";
import type { OnChange } from "./on-change.ts";

/** The first systemd with `RefreshOnReload=credentials` (systemd.service(5)). */
const firstVersion = 260;

/** What PID 1 has of a unit that is to be reloaded when there are newer values for it. */
export interface Reloadable {
  readonly unit: string;
  /** systemd's, such as `262-1`; undefined where it isn't known which it will be. */
  readonly version: string | undefined;
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
  const refused = (what: string, hint: string): Failure =>
    new Failure("unit/setting", `${unit} has --on-change ${how}, and ${what}`, hint);
  if (version !== undefined && Number.parseInt(version, 10) < firstVersion) {
    return refused(
      `a running service is given no new credential before systemd ${String(firstVersion)}; this is ${version}`,
      "let a change restart it: --on-change restart, or do nothing: --on-change nothing",
    );
  }
  if (!refreshed.includes("credentials")) {
    return refused(
      `RefreshOnReload= has ${refreshed.join(" ") || "nothing"}, so that a reload brings it no new credential`,
      "RefreshOnReload=credentials, or write the unit anew with 'sealaunch unit'",
    );
  }
  if (type === "notify-reload") {
    return refused(
      "Type=notify-reload: systemd tells it of new values before anything has checked that they are whole",
      "Type=notify and --on-change signal",
    );
  }
  if (isReloadGuard(first)) return undefined;
  return refused(
    `its first ExecReload= is ${first[0] ?? "none"}, so that nothing checks that new values are whole`,
    "ExecReload=…/sealaunch reload … before all others, or write the unit anew with 'sealaunch unit'",
  );
}

/** Whether a command is the wrapper's that sees, at a reload, that everything has arrived. */
export function isReloadGuard([program = "", verb]: readonly string[]): boolean {
  return program.endsWith("/sealaunch") && verb === "reload";
}
