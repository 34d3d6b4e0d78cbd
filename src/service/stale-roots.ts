/** What a unit keeps in the store. */
export interface UnitRoots {
  readonly unit: string;
  readonly storePaths: readonly string[];
  /** When it was last started, or seen running, in milliseconds of the epoch. */
  readonly usedAt: number;
}

/** What systemd says of a unit. */
export interface UnitActivity {
  /** `loaded`, `not-found`, `masked`, … */
  readonly loadState: string;
  /** `active`, `activating`, `inactive`, `failed`, … */
  readonly activeState: string;
  /** When it last became inactive since the machine was booted, in milliseconds of the epoch. */
  readonly inactiveSince: number | undefined;
}

/** Whether a unit runs, or is about to, or to end. */
export function runs({ activeState }: Pick<UnitActivity, "activeState">): boolean {
  return !["inactive", "failed"].includes(activeState);
}

/** What the decision depends on besides. Times are milliseconds of the epoch. */
export interface Keeping {
  readonly days: number;
  readonly now: number;
  readonly bootedAt: number;
}

const day = 86_400_000;

/**
 * The roots that have to go: of units that don't run, and are no more, or didn't run for `days`.
 *
 * On the first day after a boot (sooner, if `days` is less) all stay. The machine may have been off
 * for long, schedulers bring their units only when they are there themselves, and what starts then
 * may have to do so without a network.
 *
 * @param activities - by unit; one of which nothing is known keeps its roots
 */
export function staleRoots(
  roots: readonly UnitRoots[],
  activities: ReadonlyMap<string, UnitActivity>,
  { days, now, bootedAt }: Keeping,
): UnitRoots[] {
  if (now - bootedAt < Math.min(days, 1) * day) return [];
  return roots.filter(({ unit, usedAt }) => {
    const activity = activities.get(unit);
    if (activity === undefined) return false;
    // A unit whose file is gone may still run.
    if (runs(activity)) return false;
    if (activity.loadState === "not-found") return true;
    return now - Math.max(usedAt, activity.inactiveSince ?? 0) >= days * day;
  });
}
