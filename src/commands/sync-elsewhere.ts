import { resolve } from "node:path";
import type { Cluster } from "../cluster/cluster.ts";
import { mirrorNode } from "../cluster/mirroring.ts";
import { takeWritten } from "../cluster/taking.ts";
import { Failure } from "../failure.ts";
import { decodeTree, encodeTree } from "../formats/tree.ts";
import { runOverSsh } from "../host/ssh-remote.ts";
import { openMemory } from "../sources/memory.ts";
import { openSource } from "../sources/open.ts";
import type { Source } from "../sources/source.ts";
import { beginAdding } from "../sources/tree-writing.ts";
import type { Context } from "./context.ts";
import { reportWritten } from "./report.ts";
import { openToSign } from "./repository.ts";

/** The source in a directory that is carried to and fro. */
export function openCarried(context: Context, directory: string): Promise<Source> {
  return openSource(`dir:${resolve(context.directory, directory)}`, context.directory);
}

/**
 * Puts the newest of all that this checkout has and that verifies into a directory, for nodes that reach
 * no source (`sync --from` there).
 *
 * @throws Failure what couldn't be judged, after all the rest was done
 */
export async function syncTo(context: Context, directory: string): Promise<void> {
  const target = await openCarried(context, directory);
  const { bundles } = await fill(context, await openToSign(context), target);
  context.print(`${target.name} has what the nodes need: bundles ${bundles.join(", ")}`);
  context.result({ to: target.name, bundles });
}

async function fill(
  context: Context,
  cluster: Cluster,
  target: Source,
): Promise<{ readonly bundles: readonly string[] }> {
  const { bundles, failures } = await mirrorNode(cluster, "all", [], beginAdding(target));
  const [first, ...others] = failures;
  for (const { message } of others) context.warn(message);
  if (first !== undefined) throw first;
  return { bundles };
}

/** Takes into this checkout what nodes have written into a directory: cards, and what is owed here. */
export async function syncBack(context: Context, directory: string): Promise<void> {
  const from = await openCarried(context, directory);
  await take(context, await openToSign(context), from);
}

async function take(context: Context, cluster: Cluster, from: Source): Promise<void> {
  const taken = await takeWritten(cluster, from);
  reportWritten(
    context,
    taken.map((path) => cluster.source.place(path)),
  );
  if (taken.length === 0) context.print(`${from.name} has nothing that is owed here`);
  context.result({ from: from.name, written: taken });
}

/**
 * Brings what this checkout has into the mirror of each node, over ssh, and takes back what they have
 * written. Every host is tried.
 *
 * @param hosts - as ssh(1) takes them; root there, who hands it to the user whose the mirror is
 * @throws Failure `ssh/failed` of the first host that failed, after the others
 */
export async function syncOverSsh(context: Context, hosts: readonly string[]): Promise<void> {
  const cluster = await openToSign(context);
  const objects = new Map<string, Uint8Array>();
  await fill(context, cluster, openMemory("this checkout", objects));
  const tree = encodeTree(objects);
  const failures: Failure[] = [];
  for (const host of hosts) {
    try {
      const answer = await runOverSsh(host, remoteCommand, tree, context.environment);
      context.print(`${host} has what it needs`);
      await take(context, cluster, openMemory(host, decodeTree(answer, host)));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures.push(error);
    }
  }
  const [first, ...others] = failures;
  for (const { message } of others) context.warn(message);
  if (first !== undefined) throw first;
}

// Root there reads none of what comes: the one who does has no way to the identity.
const remoteCommand =
  "exec setpriv --reuid=sealaunch-sync --regid=sealaunch-sync --clear-groups --no-new-privs -- sealaunch sync --from -";
