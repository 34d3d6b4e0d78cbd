import { checkBundle, type Finding } from "../../cluster/checking.ts";
import { requireReadStatement, type ReadStatement } from "../../cluster/cluster.ts";
import { Failure } from "../../failure.ts";
import type { Context } from "../context.ts";
import type { Subject } from "./subject.ts";

/**
 * Tells of many bundles, one line each: who has signed it, for whom it is, who may ask, and the worst that
 * is to be said against it. Ends with the first that nobody entitled has signed; to be refused whatever is
 * found, `verify` is asked.
 */
export async function inspectMany(
  context: Context,
  { cluster, roster, bundles }: Subject,
): Promise<void> {
  const rows: { finding: Finding; read: ReadStatement | undefined }[] = [];
  let unjudged: Failure | undefined;
  for (const bundle of bundles) {
    const finding = await checkBundle(cluster, roster.record, bundle, undefined);
    const read = await requireReadStatement(cluster, roster.record, bundle).catch(
      (error: unknown) => {
        if (!(error instanceof Failure)) throw error;
        unjudged ??= error;
        return undefined;
      },
    );
    rows.push({ finding, read });
  }
  await context.table(
    ["bundle", "generation", "signed by", "for", "may ask", "until", "worst"],
    rows.map(({ finding, read }, index) => [
      bundles[index] ?? "",
      finding.generation,
      listed(read?.signers.map(({ name }) => name)),
      listed(read?.record.audience),
      listed(read && [...read.record.units, ...(read.record.inPlace ? ["in place"] : [])]),
      read === undefined ? "-" : (read.record.expires ?? "never"),
      worstOf(finding),
    ]),
  );
  context.result(
    rows.map(({ finding, read }, index) => ({
      bundle: bundles[index],
      generation: finding.generation,
      signers: read?.signers.map(({ name }) => name) ?? [],
      statement: read?.record ?? null,
      failures: finding.failures.map(({ code, message, hint }) => ({ code, message, hint })),
    })),
  );
  if (unjudged !== undefined) throw unjudged;
}

const listed = (names: readonly string[] | undefined): string => names?.join(", ") ?? "-";

function worstOf({ failures }: Finding): string {
  const [first] = failures;
  if (first === undefined) return "good";
  const more = failures.length === 1 ? "" : ` (and ${String(failures.length - 1)} more)`;
  return `${first.message}${more}`;
}
