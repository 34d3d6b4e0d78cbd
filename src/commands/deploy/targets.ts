import { requireReadStatement, type Cluster } from "../../cluster/cluster.ts";
import { Failure } from "../../failure.ts";
import type { ServiceFile } from "../../formats/service-file.ts";
import { parseRequest } from "../../launch/run-options.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import { targetsIn, type Target } from "../targets.ts";

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
