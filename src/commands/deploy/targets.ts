import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  readMembers,
  requirePool,
  requireReadStatement,
  type Cluster,
} from "../../cluster/cluster.ts";
import { Failure } from "../../failure.ts";
import type { ServiceFile } from "../../formats/service-file.ts";
import { parseRequest } from "../../launch/run-options.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";

/** A node, and how it is reached. */
export interface Target {
  readonly node: string;
  /** As ssh(1) takes it. */
  readonly host: string;
  /** Its SSH host key, as the pool's signed member list has it. */
  readonly hostKey: string;
}

/**
 * The nodes of some pools, or of those that the service's bundles are for.
 *
 * @param hosts - as {@link targetsIn} has them
 * @throws Failure `usage/invalid` if there is no pool to take, or one names a node that is in none
 */
export async function chooseTargets(
  cluster: Cluster,
  roster: VerifiedRoster,
  service: ServiceFile,
  wanted: { readonly pools: readonly string[]; readonly nodes: readonly string[] },
  hosts: Readonly<Record<string, string>> | undefined,
): Promise<Target[]> {
  const pools = wanted.pools.length > 0 ? wanted.pools : await audienceOf(cluster, roster, service);
  if (pools.length === 0) {
    throw new Failure(
      "usage/invalid",
      `${service.name} has no bundle that says for which pools it is`,
      "name them: --pool POOL",
    );
  }
  const targets = await targetsIn(cluster, roster, pools, hosts);
  if (wanted.nodes.length === 0) return [...targets.values()];
  return wanted.nodes.map((node) => {
    const target = targets.get(node);
    if (target !== undefined) return target;
    throw new Failure(
      "usage/invalid",
      `node ${node} is in none of the pools ${pools.join(", ")}, which have ${[...targets.keys()].join(", ")}`,
      `sealaunch roster add-node NAME --pool ${pools[0] ?? "POOL"}`,
    );
  });
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

async function audienceOf(
  cluster: Cluster,
  roster: VerifiedRoster,
  { bundles }: ServiceFile,
): Promise<string[]> {
  const { bundles: requests } = parseRequest(
    bundles.flatMap((bundle) => ["--bundle", bundle]),
    "",
  );
  const audiences = await Promise.all(
    requests.map(async ({ bundle }) => {
      const { record } = await requireReadStatement(cluster, roster, bundle);
      return record.audience;
    }),
  );
  return [...new Set(audiences.flat())];
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
        "StrictHostKeyChecking=yes",
      ].flatMap((option) => ["-o", option]),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}
