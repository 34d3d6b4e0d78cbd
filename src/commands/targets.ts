import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readMembers, requirePool, type Cluster } from "../cluster/cluster.ts";
import { judgedByFiles } from "../host/ssh/remote.ts";
import type { VerifiedRoster } from "../trust/roster.ts";

/** A node, and how it is reached. */
export interface Target {
  readonly node: string;
  /** As ssh(1) takes it. */
  readonly host: string;
  /** Its SSH host key, as the pool's signed member list has it. */
  readonly hostKey: string;
}

/**
 * The nodes of pools, by name.
 *
 * @param hosts - how ssh reaches them, by node; the others are root at their own name
 */
export async function targetsIn(
  cluster: Cluster,
  roster: VerifiedRoster,
  pools: readonly string[],
  hosts: Readonly<Record<string, string>> = {},
): Promise<Map<string, Target>> {
  const targets = new Map<string, Target>();
  for (const pool of pools) {
    const { members } = await readMembers(cluster.source, await requirePool(cluster, roster, pool));
    for (const { node, hostKey } of members) {
      targets.set(node, { node, hostKey, host: hosts[node] ?? `root@${node}` });
    }
  }
  return targets;
}

/** Options of ssh by which a node is only what the cluster says that it is. */
export interface KnownHosts extends AsyncDisposable {
  options(target: Target): readonly string[];
}

/** The nodes' signed host keys, where ssh looks for them, until this is disposed of. */
export async function withKnownHosts(targets: readonly Target[]): Promise<KnownHosts> {
  const directory = await mkdtemp(join(tmpdir(), "sealaunch-"));
  const file = join(directory, "known_hosts");
  await writeFile(file, targets.map(({ node, hostKey }) => `${node} ${hostKey}\n`).join(""));
  return {
    options: ({ node }) =>
      [
        `HostKeyAlias=${node}`,
        `UserKnownHostsFile=${file}`,
        "GlobalKnownHostsFile=/dev/null",
        ...judgedByFiles,
      ].flatMap((option) => ["-o", option]),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}
