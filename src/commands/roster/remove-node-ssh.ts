import { isAbsolute } from "node:path";
import type { Cluster } from "../../cluster/cluster.ts";
import { decodeBase64 } from "../../crypto/base64.ts";
import { utf8 } from "../../crypto/bytes.ts";
import { asFailure, Failure } from "../../failure.ts";
import { decodeNodeConfiguration, type NodeConfiguration } from "../../formats/configuration.ts";
import type { Member } from "../../formats/records/pool.ts";
import { listKeys } from "../../trust/signed.ts";
import { keysKnownToSsh, onlyKnown, runOverSsh } from "../../host/ssh/remote.ts";
import type { Context } from "../context.ts";

/** What became of the machine of a node that was removed, for programs. */
interface Emptied {
  readonly host: string;
  /** Whether there is nothing left on it of the node. */
  readonly emptied: boolean;
  /** Why not, if there may be something left. */
  readonly why: string | null;
}

/**
 * Returns if that host is the node, by what ssh knows of it. Nothing is asked of the host.
 *
 * @param was - what member lists have said of the node
 * @throws Failure `node/unverified`; `ssh/failed`, `program/missing`
 */
export async function requireHostOf(
  context: Context,
  host: string,
  node: string,
  was: readonly Member[],
): Promise<void> {
  const known = await keysKnownToSsh(host, context.environment);
  const own = was.map(({ hostKey }) => hostKey);
  if (own.some((hostKey) => known.includes(hostKey))) return;
  throw new Failure(
    "node/unverified",
    `ssh doesn't know ${host} by a host key of node ${node}, which has ${listKeys([...new Set(own)])}`,
    `is it the right machine? here: ssh-keygen -lF ${host.replace(/^.*@/u, "")}; without it: sealaunch roster remove-node ${node}`,
  );
}

/**
 * As {@link emptyNode}.
 *
 * @returns what came of it, which was told, and the failure to end with if there may be something left
 */
export async function tryToEmpty(
  context: Context,
  cluster: Cluster,
  host: string,
  node: string,
): Promise<{ readonly machine: Emptied; readonly failure?: Failure }> {
  try {
    await emptyNode(context, cluster, host, node);
    context.print(`${host} has nothing of node ${node} any more`);
    return { machine: { host, emptied: true, why: null } };
  } catch (error) {
    const { code, message } = asFailure(error);
    const failure = new Failure(
      code,
      `node ${node} was removed, and ${host} may still have its identity: ${message}`,
      `once it is reached: sealaunch roster remove-node ${node} --ssh ${host}; what it could read is owed all the same`,
    );
    return { machine: { host, emptied: false, why: message }, failure };
  }
}

/**
 * After it, a machine that was a node is none: its identity was overwritten and is gone, with its cards, its
 * configuration, what its mirror held and what it had written for others; its agent and its sync are stopped.
 * What runs on it runs on, and starts no more. What its disk keeps of a file that was overwritten is for the
 * disk to say.
 *
 * @throws Failure `ssh/failed`; `cluster/mismatch`, `node/unverified` if it is another node by now;
 *   `configuration/invalid`, `source/hostile`
 */
async function emptyNode(
  context: Context,
  { trusted }: Cluster,
  host: string,
  node: string,
): Promise<void> {
  const remote = { host, options: onlyKnown };
  const run = (script: string, input: Uint8Array): Promise<Uint8Array> =>
    runOverSsh(remote, `exec sh -euc '${script}'`, input, context.environment);
  const answer = decodeBase64(await run(lookScript, new Uint8Array()));
  if (answer === undefined) throw new Failure("source/hostile", `${host} answers with no base64`);
  // It goes last, so that without it there is nothing else.
  if (answer.length === 0) return;
  const found = decodeNodeConfiguration(answer, `${host}:/etc/sealaunch/node.json`);
  if (found.cluster !== trusted.cluster) {
    throw new Failure(
      "cluster/mismatch",
      `${host} is a node of cluster ${found.cluster}, and this is cluster ${trusted.cluster}`,
    );
  }
  if (found.node !== node) {
    throw new Failure("node/unverified", `${host} is node ${found.node}, and not ${node}`);
  }
  await run(emptyScript, utf8(pathsOf(found, host)));
}

/** One a line, as the script reads them. */
function pathsOf({ identity, state, mirror = "" }: NodeConfiguration, host: string): string {
  const paths = [identity, state, mirror];
  for (const path of paths.filter((one) => one !== "")) {
    if (isAbsolute(path) && path !== "/" && !path.includes("\n")) continue;
    throw new Failure(
      "configuration/invalid",
      `${host}:/etc/sealaunch/node.json: ${JSON.stringify(path)} is no absolute path of a file`,
    );
  }
  return `${paths.join("\n")}\n`;
}

const lookScript = `f=/etc/sealaunch/node.json
[ ! -e "$f" ] || base64 -w0 "$f"`;

// The mirror is another user's, who may put links into it: find follows none, not even while it looks.
const emptyScript = `IFS= read -r identity
IFS= read -r state
IFS= read -r mirror
systemctl stop sealaunch-sync.service sealaunch-agent.service 2>/dev/null || :
for f in "$identity" "$identity.next"; do
  [ ! -f "$f" ] || [ -L "$f" ] || shred -z -n 1 -- "$f"
  rm -f -- "$f"
done
for d in "\${identity%/*}" /etc/sealaunch /var/lib/sealaunch/node; do
  rm -rf -- "$d/card.json" "$d/card.json.sig" "$d/next"
done
rm -rf -- "$state/outbox"
[ -z "$mirror" ] || [ ! -d "$mirror" ] || find "$mirror" -mindepth 1 -delete
rm -f /etc/sealaunch/node.json`;
