import { basename } from "node:path";
import type { Cluster } from "../../cluster/cluster.ts";
import {
  findRepository,
  openRepository,
  readNode,
  repositoryFile,
} from "../../cluster/configuration.ts";
import { examineReach } from "../../doctor/sources.ts";
import { Failure } from "../../failure.ts";
import type { Context } from "../context.ts";

/**
 * Tells of the source of this checkout, or of this node, what can be done with it and what is wrong.
 *
 * @throws Failure the first error that was found; `configuration/…`
 */
export async function doctorSources(context: Context): Promise<void> {
  const { cluster, node } = await openEither(context);
  const { facts, findings } = await examineReach(cluster, node);
  await context.table(["", ""], facts);
  for (const { severity, failure } of findings) {
    context.print(`${severity}: ${failure.message}`);
    context.print(`hint: ${failure.hint}`);
  }
  context.result({
    source: cluster.source.name,
    facts: facts.map(([what, how]) => ({ what, how })),
    findings: findings.map(({ severity, failure: { code, message, hint } }) => ({
      severity,
      code,
      message,
      hint,
    })),
  });
  const [first, ...others] = findings.filter(({ severity }) => severity === "error");
  if (first === undefined) return;
  const reasons =
    others.length === 0 ? "the reason stands" : `${String(others.length + 1)} reasons stand`;
  const { code, hint } = first.failure;
  throw new Failure(code, `${cluster.source.name} is not as it should be: ${reasons} above`, hint);
}

/** As what this machine is configured: a checkout, or a node. */
async function openEither(
  context: Context,
): Promise<{ readonly cluster: Cluster; readonly node: string | undefined }> {
  const { configuration, directory, now } = context;
  if (configuration === undefined || basename(configuration) === repositoryFile) {
    const repository = await findRepository(directory, configuration);
    if (repository !== undefined)
      return { cluster: await openRepository(repository, now), node: undefined };
  }
  const located = await readNode(configuration);
  // The source itself, not the mirror; and without marks, which are those of whoever starts by them.
  return { cluster: await openRepository(located, now), node: located.configuration.node };
}
