import { readRoster, type Cluster, type Read } from "../../cluster/cluster.ts";
import { newestGeneration } from "../../cluster/generations.ts";
import { Failure } from "../../failure.ts";
import { parseName } from "../../formats/names.ts";
import { bundleFolder } from "../../formats/paths.ts";
import type { Roster } from "../../formats/records/roster.ts";
import { maxStep } from "../../trust/marks.ts";
import { rosterName, type VerifiedRoster } from "../../trust/roster.ts";
import type { Context } from "../context.ts";
import { reportNext } from "../report.ts";
import { openToSign } from "../repository.ts";
import { changeRoster, type RosterChangeOptions } from "./change.ts";

type RosterName = Roster["names"][number];

/**
 * A bundle's generations below `minimum` are out of use, in whatever source or store they are.
 *
 * @throws Failure `usage/invalid` if it would lower the minimum or leap, and as `changeRoster` does
 */
export async function setMinimum(
  context: Context,
  name: string,
  minimum: number,
  options: RosterChangeOptions,
): Promise<void> {
  const { bundle, cluster, current, before } = await readName(context, name);
  refuseLower(`minimum of ${bundle}`, before.minimum, minimum, "sealaunch roster set-series");
  const newest = (await newestGeneration(cluster.source, bundleFolder(bundle), before.series)) ?? 0;
  refuseLeap(`minimum of ${bundle}`, newest, minimum);
  if (newest < minimum && before.minimum < minimum) {
    context.warn(
      `the newest generation of ${bundle} is ${String(newest)}: nothing starts with it until somebody seals ${String(minimum)}`,
    );
  }
  await changeName(context, cluster, current, options, { ...before, minimum });
}

/**
 * Only statements of `series` count for a bundle's name, and their generations begin at 1.
 *
 * @throws Failure `usage/invalid` if it would lower the series or leap, and as `changeRoster` does
 */
export async function setSeries(
  context: Context,
  name: string,
  series: number,
  options: RosterChangeOptions,
): Promise<void> {
  const { bundle, cluster, current, before } = await readName(context, name);
  refuseLower(`series of ${bundle}`, before.series, series, "sealaunch seal");
  refuseLeap(`series of ${bundle}`, before.series, series);
  // The minimum counts generations of the series that ends here.
  const minimum = series === before.series ? before.minimum : 0;
  await changeName(context, cluster, current, options, { name: bundle, series, minimum });
}

async function readName(
  context: Context,
  name: string,
): Promise<{
  readonly bundle: string;
  readonly cluster: Cluster;
  readonly current: Read<VerifiedRoster>;
  readonly before: RosterName;
}> {
  const bundle = parseName("bundle", name);
  const cluster = await openToSign(context);
  const current = await readRoster(cluster);
  const { series, minimum } = rosterName(current.record, bundle);
  return { bundle, cluster, current, before: { name: bundle, series, minimum } };
}

function refuseLower(what: string, before: number, after: number, instead: string): void {
  if (after >= before) return;
  throw new Failure(
    "usage/invalid",
    `the ${what} is ${String(before)}, and ${String(after)} would let back in what was put out of use`,
    `see '${instead} --help' for the way on`,
  );
}

/** Neither can be lowered again, and both end at the last number there is. */
function refuseLeap(what: string, from: number, to: number): void {
  if (to - from <= maxStep) return;
  throw new Failure(
    "usage/invalid",
    `the ${what} would be ${String(to)}, more than ${String(maxStep)} above ${String(from)}, and can never be lowered`,
    `name a number up to ${String(from + maxStep)}`,
  );
}

async function changeName(
  context: Context,
  cluster: Cluster,
  current: Read<VerifiedRoster>,
  options: RosterChangeOptions,
  after: RosterName,
): Promise<void> {
  const { generation } = current.record;
  const { name, series, minimum } = after;
  const before = rosterName(current.record, name);
  if (before.series === series && before.minimum === minimum) {
    context.print(`nothing to do: roster ${String(generation)} says so of ${name} already`);
    context.result({ name: after, generation, complete: true });
    return;
  }
  const counts = await changeRoster(context, cluster, current, options, ({ names }) => ({
    names: [...names.filter((known) => known.name !== name), after].sort((a, b) =>
      a.name < b.name ? -1 : 1,
    ),
  }));
  reportNext(context, counts ? `sealaunch verify ${name}` : "sealaunch roster sign");
  context.result({ name: after, generation: generation + 1, complete: counts });
}
