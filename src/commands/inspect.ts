import { readMembers, readRoster, requirePool, requireStatement } from "../cluster/cluster.ts";
import { parseName } from "../formats/names.ts";
import { statementPath } from "../formats/paths.ts";
import { fingerprint, type SignerKey } from "../formats/sshsig/public-key.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { describeGeneration, maySign } from "../trust/statement.ts";
import type { Context } from "./context.ts";
import { openHere } from "./repository.ts";

/** Tells what a bundle's statement says, who may sign it, who could open it and who may ask. */
export async function inspect(context: Context, name: string): Promise<void> {
  const bundle = parseName("bundle", name);
  const cluster = await openHere(context);
  const { record: roster } = await readRoster(cluster);
  const statement = await requireStatement(cluster, roster, bundle);
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
  context.print(`lies at     ${statementPath(bundle, series, generation)}`);
  context.print(`expires     ${expires ?? "never"}`);
  context.print(
    `may ask     ${listed([...units, ...(inPlace ? ["whoever launches in place"] : [])])}`,
  );
  context.print(`may sign    ${listed(signers.map((signer) => signer.name))}`);
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
  context.result({ statement, readers, operators, signers: signers.map((signer) => signer.name) });
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "nobody" : names.join(", ");
}

function nameOf(roster: VerifiedRoster, key: SignerKey): string {
  return roster.signers.find(({ signer }) => signer === key)?.name ?? fingerprint(key);
}
