import { readRoster, requireStatement } from "../cluster/cluster.ts";
import { requireReady } from "../cluster/readiness.ts";
import { parseName } from "../formats/names.ts";
import { describeGeneration } from "../trust/statement.ts";
import type { Context } from "./context.ts";
import { openHere } from "./repository.ts";

/** Tells that a node would be given a bundle's credentials, or ends with why it wouldn't. */
export async function inspectNode(context: Context, name: string, node: string): Promise<void> {
  const bundle = parseName("bundle", name);
  parseName("node", node);
  const cluster = await openHere(context);
  const { record: roster } = await readRoster(cluster);
  const statement = await requireStatement(cluster, roster, bundle);
  await requireReady(cluster, roster, statement, node);
  const generation = describeGeneration(statement);
  const who = statement.units.length === 0 ? "a start in place" : statement.units.join(", ");
  context.print(
    `node ${node} would give bundle ${bundle} ${generation} to ${who}, as far as can be told without its identity`,
  );
  context.result({ name: bundle, node, generation: statement.generation, ready: true });
}
