import { readRoster, requireReadStatement } from "../../cluster/cluster.ts";
import { parseName } from "../../formats/names.ts";
import { signatureFile, statementPath } from "../../formats/paths.ts";
import { fingerprint } from "../../formats/sshsig/public-key.ts";
import { requireFresh } from "../../trust/freshness.ts";
import { describeGeneration } from "../../trust/statement.ts";
import type { Context } from "../context.ts";
import { reportNext, reportWritten } from "../report.ts";
import { openToSign } from "../repository.ts";
import { signersOfName } from "./who-signs.ts";
import { chooseSigner, signRecord } from "../signing.ts";

/**
 * The newest statement of a bundle has one more signature beside it; nothing else is written, and
 * no value is read. Only what counts already can be signed: a signature over anything else would
 * let in what nobody who may has sealed.
 *
 * @throws Failure `bundle/absent`, `roster/stale`, `signer/…`, all that `judgeStatement` refuses
 */
export async function resign(
  context: Context,
  name: string,
  chosen: string | undefined,
): Promise<void> {
  const bundle = parseName("bundle", name);
  const cluster = await openToSign(context);
  const { record: roster } = await readRoster(cluster);
  requireFresh(roster, `roster ${String(roster.generation)}`, context.now);
  const { record, bytes, signers } = await requireReadStatement(cluster, roster, bundle);
  const what = `bundle ${bundle} ${describeGeneration(record)}`;
  const allowed = await signersOfName(context, roster, bundle, chosen);
  const signer = await chooseSigner(context, allowed, chosen, what);
  const { series, generation, audience, units, inPlace } = record;
  const result = { name: bundle, series, generation, signer: fingerprint(signer.signer) };
  if (signers.some((known) => known.signer === signer.signer)) {
    context.print(`nothing to do: ${what} is signed by ${result.signer} already`);
    context.result(result);
    return;
  }
  const path = `${statementPath(bundle, series, generation)}/${signatureFile(signer.signer)}`;
  await cluster.source.write(path, await signRecord(context, signer, "bundle", bytes));
  context.print(
    `signed ${what} as ${result.signer}, beside ${signers.map((known) => known.name).join(", ")}`,
  );
  context.print(`  for ${audience.join(", ")}`);
  const who = [...units, ...(inPlace ? ["whoever launches in place"] : [])];
  context.print(`  may ask: ${who.length === 0 ? "nobody" : who.join(", ")}`);
  for (const credential of record.credentials) {
    const by = `by ${fingerprint(credential.sealedBy)}`;
    context.print(`  ${credential.name}, sealed ${credential.sealed} ${by}`);
  }
  reportWritten(context, [cluster.source.place(path)]);
  reportNext(context, `sealaunch verify ${bundle}`);
  context.result(result);
}
