import {
  readMembers,
  readRoster,
  readStatement,
  requirePool,
  type Cluster,
} from "../../cluster/cluster.ts";
import { Failure } from "../../failure.ts";
import { openSourceAt } from "../../sources/open.ts";
import { describeGeneration } from "../../trust/statement.ts";
import { statementDifferences, type Readable } from "../../trust/statement-difference.ts";
import type { Context } from "../context.ts";
import { requireOne, type Subject } from "./subject.ts";

/** Tells what changed of a bundle since a revision of git: what it says, and who could open it. */
export async function inspectChanges(
  context: Context,
  subject: Subject,
  revision: string,
): Promise<void> {
  const bundle = requireOne(subject);
  const { cluster, url, base } = subject;
  const source = await openSourceAt(url, base, revision, context.environment);
  const before = await readableIn({ ...cluster, source }, bundle);
  const after = await readableIn(cluster, bundle);
  if (after === undefined) {
    throw new Failure("bundle/absent", `${cluster.source.name} has no bundle ${bundle}`);
  }
  const differences = statementDifferences(before, after);
  const was = before === undefined ? "not there" : describeGeneration(before.statement);
  context.print(
    `bundle ${bundle}: ${was} in ${revision}, ${describeGeneration(after.statement)} now`,
  );
  for (const line of differences.length === 0 ? ["nothing changed"] : differences) {
    context.print(`  ${line}`);
  }
  context.result({
    name: bundle,
    since: source.commit,
    before: before?.statement ?? null,
    after: after.statement,
    differences,
  });
}

async function readableIn(cluster: Cluster, bundle: string): Promise<Readable | undefined> {
  const { record: roster } = await readRoster(cluster);
  const read = await readStatement(cluster, roster, bundle);
  if (read === undefined) return undefined;
  const nodes = await Promise.all(
    read.record.audience.map(async (pool) => {
      const file = await requirePool(cluster, roster, pool);
      const { members } = await readMembers(cluster.source, file);
      return members.map(({ node }) => `node ${node} in pool ${pool}`);
    }),
  );
  const operators = roster.operators.map((operator) => `operator ${operator.name}`);
  return { statement: read.record, readers: [...nodes.flat(), ...operators] };
}
