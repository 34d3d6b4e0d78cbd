import { showAll, systemdVersion, type UnitFacts } from "../host/systemd/systemd.ts";
import type { OnChange } from "../service/on-change.ts";
import { refuseReload } from "../service/reloading.ts";
import type { Failure } from "../failure.ts";

/**
 * Why a unit that is to be reloaded for newer values can't be; undefined if it can, or isn't to be.
 *
 * @throws Failure `systemd/unavailable`
 */
export async function whyNotReloadable(
  { unit, reloads }: Pick<UnitFacts, "unit" | "reloads">,
  onChange: OnChange | undefined,
): Promise<Failure | undefined> {
  if (onChange === undefined || onChange.how === "restart") return undefined;
  const [service, version] = await Promise.all([showAll(unit, "Service"), systemdVersion()]);
  const refreshed = service.get("RefreshOnReload");
  const reloadable = {
    unit,
    version,
    type: String(service.get("Type")),
    refreshed: Array.isArray(refreshed) ? refreshed.map(String) : [],
    first: reloads[0]?.words ?? [],
  };
  return refuseReload(reloadable, onChange.how);
}

/** Returns if a unit can be reloaded for newer values, or isn't to be. @throws Failure `unit/setting`, `systemd/unavailable` */
export async function requireReloadable(
  facts: Pick<UnitFacts, "unit" | "reloads">,
  onChange: OnChange | undefined,
): Promise<void> {
  const failure = await whyNotReloadable(facts, onChange);
  if (failure !== undefined) throw failure;
}
