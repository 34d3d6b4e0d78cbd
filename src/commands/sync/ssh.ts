import { objectsBelow } from "../../cluster/below.ts";
import { readNodeCard } from "../../cluster/cards.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { mirrorNode } from "../../cluster/mirror/mirroring.ts";
import { Failure } from "../../failure.ts";
import { collectedFolder } from "../../formats/paths.ts";
import { decodeHolding, decodeTree, encodeTree } from "../../formats/tree.ts";
import { runOverSsh, type Remote } from "../../host/ssh/remote.ts";
import { openMemory } from "../../sources/memory.ts";
import { beginSending } from "../../sources/tree-sending.ts";
import type { Context } from "../context.ts";
import { openToSign } from "../repository.ts";
import { take, throwFirst } from "./elsewhere.ts";

/**
 * Brings what this checkout has for each node, and the node lacks, into its mirror, over ssh, and takes
 * back what it has written. Every host is tried.
 *
 * @param hosts - as ssh(1) takes them; root there, who hands it to the user whose the mirror is
 * @throws Failure the first of all hosts, after the others: `ssh/failed`, `cluster/mismatch`, or what here
 *   couldn't be judged
 */
export async function syncOverSsh(context: Context, hosts: readonly string[]): Promise<void> {
  const cluster = await openToSign(context);
  const failures: Failure[] = [];
  for (const host of hosts) {
    try {
      failures.push(...(await fillMirror(context, cluster, { host })));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures.push(error);
    }
  }
  throwFirst(context, failures);
}

/**
 * As {@link syncOverSsh}, for one node.
 *
 * @returns what here couldn't be judged; all else was brought
 * @throws Failure `ssh/failed`, `cluster/mismatch`, `source/hostile`
 */
export async function fillMirror(
  context: Context,
  cluster: Cluster,
  remote: Remote,
): Promise<readonly Failure[]> {
  const { host } = remote;
  const sync = async (option: string, input: Uint8Array): Promise<Uint8Array> =>
    runOverSsh(remote, `${asSync} sealaunch sync ${option}`, input, context.environment);
  const held = decodeHolding(await sync("--held", new Uint8Array()), host);
  if (held.cluster !== cluster.trusted.cluster) {
    throw new Failure(
      "cluster/mismatch",
      `${host} is a node of cluster ${held.cluster}, and this is cluster ${cluster.trusted.cluster}`,
    );
  }
  const announced = (await readNodeCard(cluster.source, held.node))?.card.recipient;
  const recipients = [...held.recipients, ...(announced === undefined ? [] : [announced])];
  const sending = beginSending(held.objects);
  const { pools, failures } = await mirrorNode(cluster, { recipients }, [], sending);
  // Named by their hashes, so that it is enough to have them.
  for (const path of await objectsBelow(cluster.source, collectedFolder(held.node))) {
    sending.keep(path);
  }
  const tree = encodeTree(sending);
  const answer = decodeTree(await sync("--from -", tree), host);
  const number = sending.objects.size;
  const what = number === 0 ? "nothing new" : `${String(number)} objects, ${size(tree)}`;
  const names = pools.length === 0 ? "no pool" : `pools ${pools.join(", ")}`;
  context.print(`${host} has what it needs as node ${held.node} of ${names}: sent ${what}`);
  await take(context, cluster, openMemory(host, new Map(answer.objects)), held.node);
  return failures;
}

function size({ length }: Uint8Array): string {
  return `${String(Math.ceil(length / 1000))} kB`;
}

// Root there reads none of what comes: the one who does has no way to the identity.
const asSync =
  "exec setpriv --reuid=sealaunch-sync --regid=sealaunch-sync --clear-groups --no-new-privs --";
