import { Failure } from "../failure.ts";
import {
  decodeNomadAllocations,
  decodeNomadDeployment,
  decodeNomadEvaluation,
  decodeNomadJob,
  decodeNomadRegistered,
  type NomadAllocation,
  type NomadEvaluation,
  type NomadJob,
} from "../formats/schedulers/nomad.ts";
import { ask, textOfReply, type Endpoint, type Reply } from "./http.ts";
import { waitUntilRunning, type Standing } from "./running.ts";

/**
 * After it, Nomad runs this version of a job. The version before runs on until this one is well, where
 * they may overlap.
 *
 * @param job - as `sealaunch unit --for nomad` writes it, parsed
 * @param deadlineMs - from when Nomad has taken it
 * @returns the names of the nodes on which it runs
 * @throws Failure `scheduler/conflict` if somebody else changed the job meanwhile; `scheduler/refused`,
 *   `scheduler/not-running`, `scheduler/unavailable`
 */
export async function submitToNomad(
  endpoint: Endpoint,
  job: { readonly Job: { readonly ID: string } },
  deadlineMs: number,
): Promise<readonly string[]> {
  const { ID: id } = job.Job;
  const path = `/v1/job/${encodeURIComponent(id)}`;
  const before = await jobAt(endpoint, path);
  const { body } = await expectOk(endpoint, id, "POST", "/v1/jobs", {
    Job: job.Job,
    // Only over what was there just now; 0 is nothing.
    EnforceIndex: true,
    JobModifyIndex: before?.JobModifyIndex ?? 0,
  });
  const { EvalID: evaluationId } = decodeNomadRegistered(body);
  return waitUntilRunning(`job ${id} of Nomad`, deadlineMs, async () => {
    const now = await jobAt(endpoint, path);
    if (now === undefined) return { why: "somebody else has removed it", isFinal: true };
    const get = async (what: string): Promise<Uint8Array> =>
      (await expectOk(endpoint, id, "GET", what)).body;
    const allocations = decodeNomadAllocations(await get(`${path}/allocations`));
    const deployment = decodeNomadDeployment(await get(`${path}/deployment`));
    const ours = allocations.filter(({ JobVersion }) => JobVersion === now.Version);
    if (deployment?.JobVersion === now.Version) {
      const { Status: status, StatusDescription: description } = deployment;
      if (status === "failed" || status === "cancelled") {
        return { why: [description, ...failuresOf(ours)].join("; "), isFinal: true };
      }
      if (status !== "successful") {
        const evaluation = decodeNomadEvaluation(await get(`/v1/evaluation/${evaluationId}`));
        return { why: whyNot(ours, evaluation, description) };
      }
    }
    const evaluation = decodeNomadEvaluation(await get(`/v1/evaluation/${evaluationId}`));
    return standing(now, ours, evaluation);
  });
}

/** After it, Nomad stops the job. @throws Failure `scheduler/refused`, `scheduler/unavailable` */
export async function removeFromNomad(endpoint: Endpoint, id: string): Promise<void> {
  const path = `/v1/job/${encodeURIComponent(id)}`;
  if ((await jobAt(endpoint, path)) === undefined) return;
  await expectOk(endpoint, id, "DELETE", path);
}

function standing(
  { TaskGroups: groups, Type: type }: NomadJob,
  allocations: readonly NomadAllocation[],
  evaluation: NomadEvaluation,
): Standing {
  const wanted = allocations.filter(({ DesiredStatus }) => DesiredStatus === "run");
  const running = wanted.filter(({ ClientStatus }) => ClientStatus === "running");
  const needed =
    type === "system"
      ? Math.max(1, wanted.length)
      : groups.reduce((sum, { Count }) => sum + (Count ?? 1), 0);
  if (evaluation.Status === "complete" && running.length >= needed) {
    return { nodes: [...new Set(running.map(({ NodeName }) => NodeName))].sort() };
  }
  return {
    why: whyNot(
      allocations,
      evaluation,
      `${String(running.length)} of ${String(needed)} are running`,
    ),
  };
}

function whyNot(
  allocations: readonly NomadAllocation[],
  evaluation: NomadEvaluation,
  otherwise: string,
): string {
  const reasons = [...unplaced(evaluation), ...failuresOf(allocations)];
  return reasons.length === 0 ? otherwise : reasons.join("; ");
}

/** Why nodes were passed over, by group. */
function unplaced({ Status, StatusDescription, FailedTGAllocs }: NomadEvaluation): string[] {
  if (Status === "failed") return [StatusDescription ?? "its evaluation failed"];
  return Object.values(FailedTGAllocs ?? {}).map((metric) => {
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

async function jobAt(endpoint: Endpoint, path: string): Promise<NomadJob | undefined> {
  const reply = await ask(endpoint, "GET", path);
  if (reply.status === 404) return undefined;
  if (reply.status !== 200) throw refused(endpoint, path, reply);
  return decodeNomadJob(reply.body);
}

async function expectOk(
  endpoint: Endpoint,
  id: string,
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: object,
): Promise<Reply> {
  const reply = await ask(endpoint, method, path, body);
  if (reply.status === 200) return reply;
  throw refused(endpoint, `job ${id}`, reply);
}

function refused({ url }: Endpoint, what: string, reply: Reply): Failure {
  const said = textOfReply(reply);
  const message = `Nomad at ${url} answers ${String(reply.status)} to ${what}: ${said}`;
  // It is a 500 like any fault of a server's, and told apart by its words.
  if (said.includes("job modify index")) return new Failure("scheduler/conflict", message);
  const isTheirs = reply.status >= 500 && !said.includes("validation");
  return new Failure(isTheirs ? "scheduler/unavailable" : "scheduler/refused", message);
}
