import {
  decodeNomadAllocations,
  decodeNomadDeployment,
  decodeNomadEvaluation,
  type NomadAllocation,
  type NomadEvaluation,
  type NomadJob,
  type NomadUnplaced,
} from "../../formats/schedulers/nomad.ts";
import { printable } from "../../printable.ts";
import type { Endpoint } from "../http.ts";
import type { Standing } from "../running.ts";
import { expectOk, jobAt, pathOf } from "./api.ts";

/**
 * How a version of a job stands.
 *
 * @param evaluationId - of what came of registering it; undefined if that isn't known
 * @throws Failure `scheduler/…`
 */
export async function standingOf(
  endpoint: Endpoint,
  id: string,
  version: number,
  evaluationId: string | undefined,
): Promise<Standing> {
  const now = await jobAt(endpoint, id);
  if (now === undefined) return { why: "somebody else has removed it", isFinal: true };
  const get = async (what: string): Promise<Uint8Array> =>
    (await expectOk(endpoint, id, "GET", what)).body;
  const allocations = decodeNomadAllocations(await get(`${pathOf(id)}/allocations`));
  const deployment = decodeNomadDeployment(await get(`${pathOf(id)}/deployment`));
  const ours = allocations.filter(({ JobVersion }) => JobVersion === version);
  const isOurs = deployment?.JobVersion === version;
  if (isOurs && (deployment.Status === "failed" || deployment.Status === "cancelled")) {
    const why = [deployment.StatusDescription, ...failuresOf(ours)].map(printable).join("; ");
    return { why, isFinal: true };
  }
  if (now.Version !== version) {
    const why = [`version ${String(now.Version)} took its place`, ...failuresOf(ours)];
    return { why: why.map(printable).join("; "), isFinal: true };
  }
  const evaluation =
    evaluationId === undefined
      ? undefined
      : decodeNomadEvaluation(await get(`/v1/evaluation/${evaluationId}`));
  if (isOurs && deployment.Status !== "successful") {
    return { why: whyNot(ours, evaluation, deployment.StatusDescription) };
  }
  return runningOf(now, ours, evaluation);
}

function runningOf(
  { TaskGroups: groups, Type: type }: NomadJob,
  allocations: readonly NomadAllocation[],
  evaluation: NomadEvaluation | undefined,
): Standing {
  const wanted = allocations.filter(({ DesiredStatus }) => DesiredStatus === "run");
  const running = wanted.filter(({ ClientStatus }) => ClientStatus === "running");
  const needed =
    type === "system"
      ? Math.max(1, wanted.length)
      : groups.reduce((sum, { Count }) => sum + (Count ?? 1), 0);
  const isPlaced = evaluation === undefined || evaluation.Status === "complete";
  if (isPlaced && running.length >= needed) {
    return { nodes: [...new Set(running.map(({ NodeName }) => NodeName))].sort() };
  }
  const counted = `${String(running.length)} of ${String(needed)} are running`;
  return { why: whyNot(allocations, evaluation, counted) };
}

function whyNot(
  allocations: readonly NomadAllocation[],
  evaluation: NomadEvaluation | undefined,
  otherwise: string,
): string {
  const reasons = [
    ...(evaluation?.Status === "failed"
      ? [evaluation.StatusDescription ?? "its evaluation failed"]
      : whyUnplaced(evaluation?.FailedTGAllocs)),
    ...failuresOf(allocations),
  ];
  return printable(reasons.length === 0 ? otherwise : reasons.join("; "));
}

/** Why nodes were passed over, by group. */
export function whyUnplaced(unplaced: NomadUnplaced): string[] {
  return Object.values(unplaced ?? {}).map((metric) => {
    const counts = { ...metric.ConstraintFiltered, ...metric.DimensionExhausted };
    const reasons = Object.entries(counts).map(
      ([reason, nodes]) => `${reason} (${String(nodes)} nodes)`,
    );
    return `no node takes it of ${String(metric.NodesEvaluated ?? 0)}: ${reasons.join(", ") || "none is there"}`;
  });
}

/** The last words of each task that failed, and where. */
function failuresOf(allocations: readonly NomadAllocation[]): string[] {
  return allocations.flatMap(({ NodeName, TaskStates }) =>
    Object.values(TaskStates ?? {})
      .filter(({ Failed }) => Failed)
      .map(({ Events }) => {
        const words = (Events ?? []).map((event) => event.DisplayMessage ?? event.Type);
        // "Exit Code: 77" says more than the give-up that follows.
        const said = words.findLast((word) => word.includes("Exit Code")) ?? words.at(-1);
        return `failed on ${NodeName}: ${said ?? "no reason given"}`;
      }),
  );
}
