import { wipe } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import { listBundles } from "../cluster/bundles.ts";
import { checkBundle, checkPool, checkRoster, type Finding } from "../cluster/checking.ts";
import { readRoster } from "../cluster/cluster.ts";
import { openRepository, requireRepository } from "../cluster/configuration.ts";
import { parseName } from "../formats/names.ts";
import type { Context } from "./context.ts";
import { identityFrom } from "./open.ts";

/**
 * Tells of the roster and the named bundles, or of everything that there is, whether it holds;
 * ends with the first failure. Needs no key, so that a pipeline can run it; with an identity it also opens.
 */
export async function verify(
  context: Context,
  names: readonly string[],
  options: { readonly identity: string | undefined },
): Promise<void> {
  const bundles = names.map((name) => parseName("bundle", name));
  const repository = await requireRepository(context.directory, context.configuration);
  const cluster = await openRepository(repository, context.now);
  const { record: roster } = await readRoster(cluster);
  const identity =
    options.identity === undefined ? undefined : await identityFrom(context, options.identity);
  const findings: Finding[] = [checkRoster(roster, context.now)];
  try {
    // A bundle's own check judges its pools as far as a start does; each entry of each member
    // is looked at only where everything is.
    const pools = bundles.length > 0 ? [] : roster.pools;
    for (const { name } of pools) findings.push(await checkPool(cluster, roster, name));
    for (const bundle of bundles.length > 0 ? bundles : await listBundles(cluster.source)) {
      findings.push(await checkBundle(cluster, roster, bundle, identity));
    }
  } finally {
    if (identity !== undefined) wipe(identity.seed);
  }
  await report(context, findings);
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
  const [first] = failures;
  if (first === undefined) return;
  const others = failures.length === 1 ? "" : ` (and ${String(failures.length - 1)} more above)`;
  throw new Failure(first.code, `${first.message}${others}`, first.hint);
}
