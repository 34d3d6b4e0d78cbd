import { readPool, type Cluster, type ReadStatement } from "../cluster/cluster.ts";
import { openStored } from "../cluster/sealed-path.ts";
import { hex } from "../crypto/bytes.ts";
import { sha256 } from "../crypto/digest.ts";
import type { Decision } from "../formats/decision.ts";
import { recordFile, statementPath } from "../formats/paths.ts";
import { decodeStatement, maxStatementSize, type Statement } from "../formats/records/statement.ts";
import { owedValues } from "../trust/owed-values.ts";
import { isOutOfUse } from "../trust/statement.ts";
import type { VerifiedRoster } from "../trust/roster.ts";

/** What is to be said against the values that a service runs on, beside that there are newer ones. */
export interface Objections {
  /** Its credentials that somebody could read who was shut out since. */
  readonly owed: readonly string[];
  /** Those of them whose newest value is owed too, so that no restart helps. */
  readonly unreplaced: readonly string[];
  /** Whether the roster puts the generation out of use. */
  readonly isOutOfUse: boolean;
  /** Whether it does that to the newest too, so that no start gets any. */
  readonly hasNoSuccessor: boolean;
}

/**
 * What is to be said against the generation of a bundle that a service has started with. Where the
 * source hasn't that generation any more, its values are taken for as old as the newest ones.
 *
 * @param credentials - what the start got, of whichever bundle
 * @throws Failure all that `readPool` does
 */
export async function objectionsTo(
  cluster: Cluster,
  roster: VerifiedRoster,
  started: Decision["bundles"][number],
  newest: ReadStatement,
  credentials: readonly string[],
): Promise<Objections> {
  const owedOf = async (statement: Statement): Promise<string[]> => {
    const names = statement.audience.filter((pool) =>
      roster.pools.some(({ name }) => name === pool),
    );
    const pools = await Promise.all(names.map((pool) => readPool(cluster, roster, pool)));
    const owed = owedValues(
      statement,
      pools.flatMap((read) => (read === undefined ? [] : [read.record])),
    );
    return [...new Set(owed.map(({ credential }) => credential))].filter((name) =>
      credentials.includes(name),
    );
  };
  const unreplaced = await owedOf(newest.record);
  const statement = await readStarted(cluster, started);
  return {
    owed: statement === undefined ? unreplaced : await owedOf(statement),
    unreplaced,
    isOutOfUse: isOutOfUse(started, roster, started.bundle),
    hasNoSuccessor: isOutOfUse(newest.record, roster, started.bundle),
  };
}

/**
 * The statement of a start, if its bytes are still there. They were verified then, which the agent's
 * decision vouches for, whoever may sign today.
 */
async function readStarted(
  cluster: Cluster,
  { bundle, series, generation, statement, path: stored }: Decision["bundles"][number],
): Promise<Statement | undefined> {
  const { source } = stored === undefined ? cluster : openStored(cluster, stored);
  const path = `${statementPath(bundle, series, generation)}/${recordFile.statement}`;
  const bytes = await source.read(path, maxStatementSize);
  if (bytes === undefined || hex(sha256(bytes)) !== statement) return undefined;
  return decodeStatement(bytes);
}
