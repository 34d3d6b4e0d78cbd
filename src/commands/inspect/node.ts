import { requireReady } from "../../cluster/readiness.ts";
import { parseName } from "../../formats/names.ts";
import { describeGeneration } from "../../trust/statement.ts";
import type { Context } from "../context.ts";
import { readSubject, type Subject } from "./subject.ts";

/**
 * Tells that a node would be given a bundle's credentials, or ends with why it wouldn't.
 *
 * @param floor - the least generation that a unit asks for
 */
export async function inspectNode(
  context: Context,
  subject: Subject,
  node: string,
  floor: number,
): Promise<void> {
  parseName("node", node);
  const { record: statement } = await readSubject(subject);
  await requireReady(subject.cluster, subject.roster.record, statement, { node, floor });
  const { name: bundle } = statement;
  const generation = describeGeneration(statement);
  const who = statement.units.length === 0 ? "a start in place" : statement.units.join(", ");
  context.print(
    `node ${node} would give bundle ${bundle} ${generation} to ${who}, as far as can be told without its identity`,
  );
  context.result({ name: bundle, node, generation: statement.generation, ready: true });
}
