import { Failure } from "../../failure.ts";
import { rosterPath } from "../../formats/paths.ts";
import { listBundles } from "../bundles.ts";
import { findRoster, readRoster, type Cluster, type Read } from "../cluster.ts";
import { newestGeneration } from "../generations.ts";
import { planBundle } from "./bundles.ts";
import { planCards } from "./cards.ts";
import type { Step } from "./objects.ts";
import { planPool, planRoster } from "./trust.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import type { Each } from "../each.ts";

/** What one source has and another lacks. */
export interface CopyPlan {
  /** Everything that is missing: what is in one of these may come in any order, and before what is in the next. */
  readonly phases: readonly (readonly Step[])[];
  /** By roster, pool and bundle, how many objects are missing; those of which none is aren't named. */
  readonly missing: readonly { readonly what: string; readonly objects: number }[];
  /** What at the origin isn't whole and nobody needs, so that it isn't carried: a line each. */
  readonly gaps: readonly string[];
}

/**
 * What has to be carried so that `to` has what `from` has, each judged as a reader would; what is there and
 * whole isn't changed, and nothing is taken away.
 *
 * Whoever reads meanwhile finds all that is named: what lies hidden comes first, then what is believed by
 * the roster that is there, then the new roster, then what only it lets count; the past comes last.
 *
 * @param names - of bundles; all if there are none
 * @param each - may do several at once
 * @throws Failure whatever is wrong with one of them; `generation/conflict`
 */
export async function planCopy(
  from: Cluster,
  to: Cluster,
  names: readonly string[],
  each: Each,
): Promise<CopyPlan> {
  const way = { from: from.source, to: to.source };
  const read = await readRoster(from);
  const { record: roster } = read;
  const { present, rosters } = await planRosters(from, to, read);
  const poolNames = roster.pools.map(({ name }) => name);
  const plannedPools = await each("pool", poolNames, (pool) =>
    planPool(from, way, roster, present, pool),
  );
  const pools = plannedPools.filter((pool) => pool !== undefined);
  const bundleNames = names.length > 0 ? names : await listBundles(from.source);
  const bundles = await each("bundle", bundleNames, (bundle) =>
    planBundle(from, way, roster, present, bundle),
  );
  const cards = await planCards(way, each);
  const copies = [...pools, ...bundles];
  const early = copies.filter(({ isForPresent }) => isForPresent);
  const late = copies.filter(({ isForPresent }) => !isForPresent);
  const phases = [
    [...bundles, ...pools].flatMap(({ before }) => before),
    early.flatMap(({ newest }) => newest),
    rosters.newest,
    late.flatMap(({ newest }) => newest),
    [...rosters.past, ...copies.flatMap(({ past }) => past), ...cards.steps],
  ];
  const missing = [
    {
      what: `roster ${String(roster.generation)}`,
      objects: rosters.newest.length + rosters.past.length,
    },
    ...copies.map(({ what, before, newest, past }) => ({
      what,
      objects: before.length + newest.length + past.length,
    })),
    { what: "cards", objects: cards.steps.length },
  ];
  return {
    phases: phases.filter((steps) => steps.length > 0),
    missing: missing.filter(({ objects }) => objects > 0),
    gaps: [...rosters.gaps, ...copies.flatMap(({ gaps }) => gaps), ...cards.gaps],
  };
}

/**
 * What brings the rosters there, and by which readers go who are there already: by none where there is none,
 * or where it is damaged and is mended.
 *
 * @throws Failure what is wrong with the roster there, if this roster's history doesn't mend it;
 *   `generation/conflict`
 */
async function planRosters(
  from: Cluster,
  to: Cluster,
  read: Read<VerifiedRoster>,
): Promise<Rosters> {
  const way = { from: from.source, to: to.source };
  let failure: Failure | undefined;
  let present: VerifiedRoster | undefined;
  try {
    present = (await findRoster(to))?.record;
  } catch (error) {
    if (!(error instanceof Failure) || error.code.startsWith("source/")) throw error;
    failure = new Failure(error.code, `${way.to.name}: ${error.message}`, error.hint);
  }
  try {
    const rosters = await planRoster(way, read, from.trusted.roots);
    const newest = rosterPath((await newestGeneration(way.to)) ?? 0);
    const mends = [...rosters.newest, ...rosters.past];
    const isMended = mends.some(({ path }) => `${path}/`.startsWith(`${newest}/`));
    if (failure === undefined || isMended) return { present, rosters };
  } catch (error) {
    throw failure ?? error;
  }
  throw failure;
}

interface Rosters {
  readonly present: VerifiedRoster | undefined;
  readonly rosters: Awaited<ReturnType<typeof planRoster>>;
}
