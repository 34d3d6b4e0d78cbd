import { wipe } from "../../crypto/bytes.ts";
import { listBundles } from "../../cluster/bundles.ts";
import { checkBundle, checkPool, checkRoster, type Finding } from "../../cluster/checking.ts";
import { readRoster, readStatement, type Cluster } from "../../cluster/cluster.ts";
import { checkDates } from "../../cluster/verifying/dates.ts";
import { createMemory, mostRemembered, noMemory } from "../../cluster/memory.ts";
import { findSurplus } from "../../cluster/verifying/surplus.ts";
import { checkSteps } from "../../cluster/verifying/steps.ts";
import { checkTwins } from "../../cluster/verifying/twins.ts";
import { checkUnchanged } from "../../cluster/verifying/unchanged.ts";
import { Failure } from "../../failure.ts";
import { parseName } from "../../formats/names.ts";
import { openSourceAt } from "../../sources/open.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import type { Dates } from "../../trust/dates.ts";
import type { Context } from "../context.ts";
import { parseDays } from "../expiry.ts";
import { identityFrom } from "../open.ts";
import { openWithMarks, requireRepositoryWith } from "../repository.ts";
import { checkUnitNames } from "../seal/choice.ts";
import { reportFindings, withAdditions } from "./report.ts";

/** What `verify` is asked besides whether all holds. */
export interface VerifyOptions {
  /** Where to look, as configurations name it, relative to where the command runs; undefined for the configured one. */
  readonly source: string | undefined;
  readonly identity: string | undefined;
  /** A revision of git since which no generation may have been rewritten. */
  readonly since: string | undefined;
  /** Days within which nothing may end, `30d`. */
  readonly within: string | undefined;
  /** Days that no value may be older than, `365d`. */
  readonly olderThan: string | undefined;
  /** Whether what nothing needs is refused, not only told. */
  readonly strict: boolean;
  /** Files and directories of units, which ask for credentials. */
  readonly units: readonly string[];
}

/**
 * Tells of the roster and the named bundles, or of everything that there is, whether it holds, and
 * whatever else it is asked; ends with the first failure. Needs no key, so that a pipeline can run it;
 * with an identity it also opens.
 */
export async function verify(
  context: Context,
  names: readonly string[],
  options: VerifyOptions,
): Promise<void> {
  const named = names.map((name) => parseName("bundle", name));
  const dates = datesOf(context.now, options);
  const repository = await requireRepositoryWith(context, options.source);
  // What is remembered stays until the process ends: nothing is while there is an identity.
  const memory = options.identity === undefined ? createMemory(mostRemembered) : noMemory;
  const cluster = { ...(await openWithMarks(context, repository, true)), memory };
  const read = await readRoster(cluster);
  const { record: roster } = read;
  const before =
    options.since === undefined
      ? undefined
      : await openSourceAt(
          repository.configuration.source,
          repository.directory,
          options.since,
          context.environment,
        );
  const identity =
    options.identity === undefined ? undefined : await identityFrom(context, options.identity);
  const findings: Finding[] = [checkRoster(roster, context.now)];
  const only = named.length > 0 ? named : undefined;
  // A bundle's own check judges its pools as far as a start does; each entry of each member
  // is looked at only where everything is.
  const pools = only === undefined ? roster.pools.map(({ name }) => name) : [];
  const bundles = only ?? (await listBundles(cluster.source));
  try {
    await context.each("pool", pools, async (pool) => {
      findings.push(await checkPool(cluster, roster, pool));
    });
    await context.each("bundle", bundles, async (bundle) => {
      const { failures, ...found } = await checkBundle(cluster, roster, bundle, identity);
      const twins = await checkTwins(cluster, roster, bundle);
      const names = await checkNames(cluster, roster, bundle);
      findings.push({ ...found, failures: [...failures, ...twins, ...names] });
    });
  } finally {
    if (identity !== undefined) wipe(identity.seed);
  }
  const added = [
    await checkSteps(cluster.source, before, only),
    await checkDates(cluster, roster, { pools, bundles }, dates),
  ];
  if (before !== undefined) added.push(await checkUnchanged(cluster.source, before, only));
  const { readers, unneeded } = await findSurplus(cluster, read, bundles, only === undefined);
  added.push(readers);
  if (options.strict) added.push(unneeded);
  const notes = options.strict ? new Map<string, never>() : unneeded;
  const objects = withAdditions(findings, added, notes, only !== undefined);
  const units = await unitsOf(context, cluster, roster, options.units);
  await reportFindings(context, [...objects, ...units]);
}

/** What could never be delivered: nobody seals it with this program, but whoever may sign can write it. */
async function checkNames(
  cluster: Cluster,
  roster: VerifiedRoster,
  bundle: string,
): Promise<Failure[]> {
  try {
    const read = await readStatement(cluster, roster, bundle);
    if (read !== undefined) checkUnitNames(read.record.units, read.record.credentials);
    return [];
  } catch (error) {
    if (error instanceof Failure && error.code === "usage/bad-name") return [error];
    // What keeps it from being read is told by those who judge it.
    if (error instanceof Failure) return [];
    throw error;
  }
}

async function unitsOf(
  context: Context,
  cluster: Cluster,
  roster: VerifiedRoster,
  paths: readonly string[],
): Promise<Finding[]> {
  if (paths.length === 0) return [];
  const { checkUnits } = await import("./units.ts");
  return checkUnits(context, cluster, roster, paths);
}

function datesOf(now: Date, { within, olderThan }: VerifyOptions): Dates {
  const at = (milliseconds: number): Date => new Date(now.getTime() + milliseconds);
  return {
    now,
    until: within === undefined ? undefined : at(parseDays(within)),
    sealedBefore: olderThan === undefined ? undefined : at(-parseDays(olderThan)),
  };
}
