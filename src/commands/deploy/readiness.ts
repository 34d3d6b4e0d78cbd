import { readRoster, type Cluster } from "../../cluster/cluster.ts";
import { requireReady } from "../../cluster/readiness.ts";
import { Failure } from "../../failure.ts";
import { parseRequest } from "../../launch/run-options.ts";
import { findStatement } from "../../launch/wanted-statement.ts";
import type { Difference, Release } from "./submission.ts";
import type { Target } from "../targets.ts";

/** A bundle's generation that a start of the release gets. */
export interface ReadyBundle {
  readonly bundle: string;
  readonly series: number;
  readonly generation: number;
}

/**
 * The bundles that a start gets, if every node could open them, as far as can be told from here: it is a
 * member, has its entry and the headers of the current epoch, and what is sealed is whole, signed by who may
 * sign its name, and not below the unit's floor.
 *
 * @throws Failure what the first that can't would be refused with, naming it
 */
export async function requireAllReady(
  cluster: Cluster,
  { service, unit }: Pick<Release, "service" | "unit">,
  targets: readonly Pick<Target, "node">[],
): Promise<ReadyBundle[]> {
  const { record: roster } = await readRoster(cluster);
  const options = service.bundles.flatMap((bundle) => ["--bundle", bundle]);
  const ready: ReadyBundle[] = [];
  for (const request of parseRequest(options, "").bundles) {
    const found = await findStatement(cluster, roster, request);
    // Undefined is only what was decided before.
    if (found === undefined) continue;
    const { record } = found.read;
    for (const { node } of targets) {
      await requireReady(found.cluster, roster, record, { node, floor: request.floor }).catch(
        (error: unknown) => {
          throw onNode(node, unit, error);
        },
      );
    }
    const { name: bundle, series, generation } = record;
    ready.push({ bundle, series, generation });
  }
  return ready;
}

/**
 * Returns if no place that answered has said that it can't start the release.
 *
 * @throws Failure what the first of them has said, naming it
 */
export function requireAllAble(unit: string, differences: readonly Difference[]): void {
  for (const { node, lack, failure } of differences) {
    // One that isn't reached is told of in the end; the others are done. So is a scheduler, which is no node.
    const isTold = /^(?:ssh\/failed$|scheduler\/)/u.test(failure?.code ?? "");
    const why = lack ?? (isTold ? undefined : failure);
    if (why !== undefined) throw onNode(node, unit, why);
  }
}

function onNode(node: string, unit: string, error: unknown): unknown {
  if (!(error instanceof Failure)) return error;
  return new Failure(error.code, `node ${node} can't start ${unit}: ${error.message}`, error.hint);
}
