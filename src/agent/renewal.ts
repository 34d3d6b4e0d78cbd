import { Failure } from "../failure.ts";
import { reloadUnit, restartIfRunning } from "../host/systemd/jobs.ts";
import { keepDecision } from "./decisions.ts";
import type { Digest } from "./digest.ts";
import type { Due } from "./due.ts";
import { settleRefreshes, type Digests } from "./refresh.ts";
import { rehearse } from "./rehearsal.ts";
import { requireReloadable } from "./reloadable.ts";
import type { RunningUnit } from "./running-units.ts";
import type { Means } from "./start.ts";
import { recordRenewal } from "./unit-journal.ts";
import type { Wanted } from "./wanted.ts";

/** How services are told apart that have the bytes already. */
export interface Served extends Digests {
  readonly digest: Digest;
}

/**
 * After it, a running unit has what it is due for: by a restart, by a reload, or since it has the same bytes already.
 *
 * @throws Failure whatever would keep it from starting, and then it runs on; `unit/not-started`,
 *   `unit/not-reloaded`
 */
export async function renew(
  { facts, decision }: RunningUnit,
  wanted: Wanted,
  { onChange, change }: Due,
  means: Means,
  served: Served,
  now: Date,
): Promise<void> {
  const { unit, invocation } = facts;
  const has = served.digests.get(invocation);
  const gets = await rehearse(unit, wanted, await means.node(), means, now, served.digest);
  if (has === gets.digest) {
    // Sealed anew and the same to the byte: it runs on the newest already, and is reported so.
    keepDecision({ ...decision, ...gets.served });
    return;
  }
  await requireReloadable(facts, onChange);
  await recordRenewal(unit, invocation, onChange.how, change);
  if (onChange.how === "restart") await restart(unit, change);
  else await reload(unit, invocation, change, served);
}

async function restart(unit: string, change: string): Promise<void> {
  if (await restartIfRunning(unit)) return;
  throw new Failure(
    "unit/not-started",
    `${unit} was restarted for ${change} and doesn't run`,
    `sealaunch doctor ${unit}; systemctl status ${unit}`,
  );
}

async function reload(
  unit: string,
  invocation: string,
  change: string,
  served: Served,
): Promise<void> {
  const isReloaded = await reloadUnit(unit);
  const failed = await settleRefreshes(served);
  if (isReloaded && !failed.has(invocation)) return;
  throw new Failure(
    "unit/not-reloaded",
    `${unit} was reloaded for ${change}, and that failed`,
    `journalctl -u ${unit}`,
  );
}
