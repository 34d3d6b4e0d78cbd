import { readMembers, requirePool, type ReadStatement } from "../../cluster/cluster.ts";
import { Failure } from "../../failure.ts";
import { statementPath } from "../../formats/paths.ts";
import { fingerprint, type SignerKey } from "../../formats/sshsig/public-key.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import { describeGeneration, judgeStart, maySign } from "../../trust/statement.ts";
import type { Context } from "../context.ts";
import { pathFor } from "../report.ts";
import { readSubject, type Subject } from "./subject.ts";

/**
 * Tells what a bundle's statement says, who has signed it, who could open it, who may ask, and whether a
 * start would take it.
 *
 * @param floor - the least generation that a unit asks for
 */
export async function inspect(context: Context, subject: Subject, floor: number): Promise<void> {
  const { cluster } = subject;
  const { record: roster } = subject.roster;
  const read = await readSubject(subject);
  const { record: statement } = read;
  const bundle = statement.name;
  const readers = await Promise.all(
    statement.audience.map(async (name) => {
      const pool = await requirePool(cluster, roster, name);
      const { members } = await readMembers(cluster.source, pool);
      return { pool: name, epoch: pool.current.epoch, nodes: members.map(({ node }) => node) };
    }),
  );
  const operators = roster.operators.map((operator) => operator.name);
  const signers = roster.signers.filter((signer) => maySign(signer, bundle, context.now));
  const { series, generation, created, expires, units, inPlace, credentials } = statement;
  context.print(
    `bundle      ${bundle}, generation ${describeGeneration(statement)}, created ${created}`,
  );
  context.print(
    `lies at     ${pathFor(context, cluster.source.place(statementPath(bundle, series, generation)))}`,
  );
  context.print(`expires     ${expires ?? "never"}`);
  context.print(
    `may ask     ${listed([...units, ...(inPlace ? ["whoever launches in place"] : [])])}`,
  );
  context.print(`signed by   ${listed(read.signers.map((signer) => signer.name))}`);
  context.print(`may sign    ${listed(signers.map((signer) => signer.name))}`);
  const refusal = refusalOf(read, roster, floor, context.now);
  context.print(`starts      ${refusal === undefined ? "yes" : `no: ${refusal.message}`}`);
  for (const { pool, epoch, nodes } of readers) {
    context.print(`could open  pool ${pool}, epoch ${String(epoch)}: ${listed(nodes)}`);
  }
  context.print(`could open  operators: ${listed(operators)}`);
  await context.table(
    ["credential", "size at most", "sealed", "by", "epochs"],
    credentials.map((credential) => [
      credential.name,
      `${String(credential.sizeClass / 1024)} KiB`,
      credential.sealed,
      nameOf(roster, credential.sealedBy),
      credential.epochs.map(({ pool, epoch }) => `${pool} ${String(epoch)}`).join(", "),
    ]),
  );
  context.result({
    statement,
    readers,
    operators,
    signers: signers.map((signer) => signer.name),
    signedBy: read.signers.map((signer) => signer.name),
    refusal: refusal === undefined ? null : { code: refusal.code, message: refusal.message },
  });
}

/** Why no start would take a statement, whoever asks that it names; undefined if one would. */
function refusalOf(
  { record: statement }: ReadStatement,
  roster: VerifiedRoster,
  floor: number,
  now: Date,
): Failure | undefined {
  const [unit] = statement.units;
  try {
    judgeStart(statement, roster, { unit, inPlace: unit === undefined, floor }, now);
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "nobody" : names.join(", ");
}

function nameOf(roster: VerifiedRoster, key: SignerKey): string {
  return roster.signers.find(({ signer }) => signer === key)?.name ?? fingerprint(key);
}
