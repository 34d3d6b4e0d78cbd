import { wipe } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import { listBundles } from "../cluster/bundles.ts";
import { checkBundle, checkPool, checkRoster, type Finding } from "../cluster/checking.ts";
import { readRoster } from "../cluster/cluster.ts";
import { requireRepository } from "../cluster/configuration.ts";
import { checkDates, type Additions } from "../cluster/dates.ts";
import { checkTwins } from "../cluster/twins.ts";
import { checkUnchanged } from "../cluster/unchanged.ts";
import { parseName } from "../formats/names.ts";
import { openSourceAt } from "../sources/open.ts";
import type { Dates } from "../trust/dates.ts";
import type { Context } from "./context.ts";
import { parseDays } from "./expiry.ts";
import { identityFrom } from "./open.ts";
import { openWithMarks } from "./repository.ts";

/** What `verify` is asked besides whether all holds. */
export interface VerifyOptions {
  readonly identity: string | undefined;
  /** A revision of git since which no generation may have been rewritten. */
  readonly since: string | undefined;
  /** Days within which nothing may end, `30d`. */
  readonly within: string | undefined;
  /** Days that no value may be older than, `365d`. */
  readonly olderThan: string | undefined;
}

/**
 * Tells of the roster and the named bundles, or of everything that there is, whether it holds;
 * and whatever else it is asked; ends
 * with the first failure. Needs no key, so that a pipeline can run it; with an identity it also opens.
 */
export async function verify(
  context: Context,
  names: readonly string[],
  options: VerifyOptions,
): Promise<void> {
  const named = names.map((name) => parseName("bundle", name));
  const dates = datesOf(context.now, options);
  const repository = await requireRepository(context.directory, context.configuration);
  const cluster = await openWithMarks(context, repository, true);
  const { record: roster } = await readRoster(cluster);
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
  // A bundle's own check judges its pools as far as a start does; each entry of each member
  // is looked at only where everything is.
  const pools = named.length > 0 ? [] : roster.pools.map(({ name }) => name);
  const bundles = named.length > 0 ? named : await listBundles(cluster.source);
  try {
    for (const pool of pools) findings.push(await checkPool(cluster, roster, pool));
    for (const bundle of bundles) {
      findings.push(await checkBundle(cluster, roster, bundle, identity));
    }
  } finally {
    if (identity !== undefined) wipe(identity.seed);
  }
  const added = [
    await checkTwins(cluster, roster, bundles),
    await checkDates(cluster, roster, { pools, bundles }, dates),
  ];
  if (before !== undefined) added.push(await checkUnchanged(cluster.source, before));
  await report(context, withAdditions(findings, added, named.length > 0));
}

function datesOf(now: Date, { within, olderThan }: VerifyOptions): Dates {
  const at = (milliseconds: number): Date => new Date(now.getTime() + milliseconds);
  return {
    now,
    until: within === undefined ? undefined : at(parseDays(within)),
    sealedBefore: olderThan === undefined ? undefined : at(-parseDays(olderThan)),
  };
}

/**
 * The findings, with what was found besides of the same objects; and of others, such as a bundle
 * that is gone, unless only some were asked for.
 */
function withAdditions(
  findings: readonly Finding[],
  additions: readonly Additions[],
  onlyThese: boolean,
): Finding[] {
  const known = new Set(findings.map(({ object }) => object));
  const others = new Set(additions.flatMap((added) => [...added.keys()]));
  const all = [
    ...findings,
    ...[...others]
      .filter((object) => !onlyThese && !known.has(object))
      .map((object) => ({ object, generation: "-", failures: [] })),
  ];
  return all.map((finding) => ({
    ...finding,
    failures: [
      ...finding.failures,
      ...additions.flatMap((added) => added.get(finding.object) ?? []),
    ],
  }));
}

async function report(context: Context, findings: readonly Finding[]): Promise<void> {
  await context.table(
    ["object", "generation", "", "what"],
    findings.flatMap(({ object, generation, failures }) =>
      failures.length === 0
        ? [[object, generation, "good", ""]]
        : failures.map(({ message }) => [object, generation, "BAD", message]),
    ),
  );
  context.result(
    findings.map(({ object, generation, failures }) => ({
      object,
      generation,
      failures: failures.map(({ code, message, hint }) => ({ code, message, hint })),
    })),
  );
  const failures = findings.flatMap((finding) => finding.failures);
  // What is wrong today comes before what will be.
  const first = failures.find(({ code }) => !code.startsWith("date/")) ?? failures[0];
  if (first === undefined) return;
  const others = failures.length === 1 ? "" : ` (and ${String(failures.length - 1)} more above)`;
  throw new Failure(first.code, `${first.message}${others}`, first.hint);
}
