import { resolve } from "node:path";
import type { Cluster } from "../../cluster/cluster.ts";
import { mirrorNode } from "../../cluster/mirror/mirroring.ts";
import { takeWritten } from "../../cluster/mirror/taking.ts";
import { Failure } from "../../failure.ts";
import { nodesFolder, rosterFolder } from "../../formats/paths.ts";
import { openSource } from "../../sources/open.ts";
import type { Source } from "../../sources/source.ts";
import { beginAdding } from "../../sources/tree-writing.ts";
import type { Context } from "../context.ts";
import { reportWritten } from "../report.ts";
import { openToSign } from "../repository.ts";

/** The source in a directory that is carried to and fro. */
function openCarried(context: Context, directory: string): Promise<Source> {
  return openSource(`dir:${resolve(context.directory, directory)}`, context.directory);
}

/**
 * As {@link openCarried}, of one that somebody has filled.
 *
 * @throws Failure `roster/absent` if it is empty, as where a stick isn't mounted
 */
export async function openBrought(context: Context, directory: string): Promise<Source> {
  const source = await openCarried(context, directory);
  const found = await Promise.all([rosterFolder, nodesFolder].map((one) => source.list(one)));
  if (found.flat().length > 0) return source;
  throw new Failure(
    "roster/absent",
    `${source.name} has no roster and no card: nobody has filled it`,
    `mount it, or fill it in the repository: sealaunch sync --to ${directory}`,
  );
}

/**
 * Puts the newest of all that this checkout has and that verifies into a directory, for nodes that reach
 * no source (`sync --from` there).
 *
 * @throws Failure what couldn't be judged, after all the rest was done
 */
export async function syncTo(context: Context, directory: string): Promise<void> {
  const target = await openCarried(context, directory);
  const cluster = await openToSign(context);
  const { bundles, failures } = await mirrorNode(cluster, "all", [], beginAdding(target));
  throwFirst(context, failures);
  context.print(`${target.name} has what the nodes need: bundles ${bundles.join(", ")}`);
  context.result({ to: target.name, bundles });
}

/** Returns if there is none; else all but the first are told as warnings. @throws Failure the first */
export function throwFirst(context: Context, failures: readonly Failure[]): void {
  const [first, ...others] = failures;
  for (const { message } of others) context.warn(message);
  if (first !== undefined) throw first;
}

/** Takes into this checkout what nodes have written into a directory: cards, and what is owed here. */
export async function syncBack(context: Context, directory: string): Promise<void> {
  const from = await openBrought(context, directory);
  await take(context, await openToSign(context), from);
}

/**
 * Takes what nodes have written into this checkout, and says so.
 *
 * @param only - the node whose own objects are taken; those of all if undefined
 * @throws Failure all that `takeWritten` refuses
 */
export async function take(
  context: Context,
  cluster: Cluster,
  from: Source,
  only?: string,
): Promise<void> {
  const taken = await takeWritten(cluster, from, only);
  reportWritten(
    context,
    taken.map((path) => cluster.source.place(path)),
  );
  if (taken.length === 0) context.print(`${from.name} has nothing that is owed here`);
  context.result({ from: from.name, written: taken });
}
