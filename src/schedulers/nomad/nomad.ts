import { Failure } from "../../failure.ts";
import {
  decodeNomadAllocations,
  decodeNomadRegistered,
  type NomadDifference,
  type NomadJob,
} from "../../formats/schedulers/nomad.ts";
import { printable } from "../../printable.ts";
import type { Endpoint } from "../http.ts";
import {
  goneBack,
  waitUntilRunning,
  withSequel,
  type Patience,
  type Submitted,
  type Submitting,
} from "../running.ts";
import { expectOk, jobAt, pathOf, planOf, type WrittenJob } from "./api.ts";
import { standingOf, whyUnplaced } from "./standing.ts";

/**
 * A job for Nomad, as `sealaunch unit --for nomad` writes it, parsed. It is registered only over what was
 * there just before; the version before runs on until this one is well, where they may overlap, and again if
 * this one isn't.
 */
export function submitToNomad(endpoint: Endpoint, job: WrittenJob): Submitting {
  return {
    difference: async () => textsOf((await planOf(endpoint, job)).Diff),
    submit: (patience) => submit(endpoint, job, patience),
  };
}

/** What Nomad makes of a job that is to replace another. */
interface Registered {
  readonly version: number;
  readonly evaluation: string | undefined;
}

async function submit(endpoint: Endpoint, job: WrittenJob, patience: Patience): Promise<Submitted> {
  const { ID: id } = job.Job;
  const before = await jobAt(endpoint, id);
  const { Diff: difference, FailedTGAllocs: unplaced } = await planOf(endpoint, job);
  const what = `job ${id} of Nomad`;
  const waitFor = ({ version, evaluation }: Registered): Promise<readonly string[]> =>
    waitUntilRunning(what, patience, () => standingOf(endpoint, id, version, evaluation));
  if (before !== undefined && difference.Type === "None") {
    const nodes = await waitFor({ version: before.Version, evaluation: undefined });
    return { ranAlready: true, nodes };
  }
  const [why] = whyUnplaced(unplaced);
  // Of a job on every node, some nodes are passed over as a matter of course.
  if (why !== undefined && job.Job.Type === "service") {
    const message = `${what} wouldn't be placed, and nothing was changed: ${printable(why)}`;
    throw new Failure("scheduler/not-running", message);
  }
  const registered = await register(endpoint, job, before);
  try {
    return { ranAlready: false, nodes: await waitFor(registered) };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "scheduler/not-running") throw error;
    const sequel = await goneBack(() => goBack(endpoint, id, registered.version, before));
    throw withSequel(error, sequel);
  }
}

/** Registers a job over what was there. An answer that got lost is made up for by looking. */
async function register(
  endpoint: Endpoint,
  job: WrittenJob,
  before: NomadJob | undefined,
): Promise<Registered> {
  const { ID: id } = job.Job;
  let evaluation: string | undefined;
  try {
    const { body } = await expectOk(endpoint, id, "POST", "/v1/jobs", {
      Job: job.Job,
      // Only over what was there just now; 0 is nothing.
      EnforceIndex: true,
      JobModifyIndex: before?.JobModifyIndex ?? 0,
    });
    evaluation = decodeNomadRegistered(body).EvalID;
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "scheduler/unavailable") throw error;
    const isTaken = (await planOf(endpoint, job)).Diff.Type === "None";
    if (!isTaken) throw error;
  }
  const now = await jobAt(endpoint, id);
  if (now !== undefined) return { version: now.Version, evaluation };
  throw new Failure("scheduler/conflict", `somebody else has removed job ${id} of Nomad`);
}

/** For so long what ran before is looked for. */
const backWithin: Patience = { deadlineMs: 60_000, settleMs: 0 };

/** After it, what ran before a version runs, or nothing if nothing did. @returns what was done */
async function goBack(
  endpoint: Endpoint,
  id: string,
  version: number,
  before: NomadJob | undefined,
): Promise<string> {
  if (before === undefined || before.Stop === true) {
    await expectOk(endpoint, id, "DELETE", pathOf(id));
    return "nothing of it ran before, and it was stopped";
  }
  if ((await jobAt(endpoint, id))?.Version === version) {
    try {
      await expectOk(endpoint, id, "POST", `${pathOf(id)}/revert`, {
        JobID: id,
        JobVersion: before.Version,
        EnforcePriorVersion: version,
      });
    } catch (error) {
      // It went back by itself between the two.
      if (!(error instanceof Failure) || error.code !== "scheduler/conflict") throw error;
    }
  }
  const needed = before.TaskGroups.reduce((sum, { Count }) => sum + (Count ?? 1), 0);
  const nodes = await waitUntilRunning(`what job ${id} was before`, backWithin, async () => {
    const { body } = await expectOk(endpoint, id, "GET", `${pathOf(id)}/allocations`);
    const running = decodeNomadAllocations(body).filter(
      ({ JobVersion, ClientStatus }) => JobVersion !== version && ClientStatus === "running",
    );
    if (running.length >= needed) return { nodes: running.map(({ NodeName }) => NodeName).sort() };
    return { why: `${String(running.length)} of ${String(needed)} are running` };
  });
  return `the version before runs on ${[...new Set(nodes)].join(", ")}`;
}

/** What a plan would change, field by field, as it is and as it is to be. */
function textsOf(difference: NomadDifference): { before: string; after: string } {
  const before: string[] = [];
  const after: string[] = [];
  const add = (part: NomadDifference, place: string): void => {
    for (const { Type: type, Name: name, Old: old, New: next } of part.Fields ?? []) {
      if (type === "None") continue;
      if (type !== "Added") before.push(`${place}${name}: ${old}\n`);
      if (type !== "Deleted") after.push(`${place}${name}: ${next}\n`);
    }
    const parts = [part.Objects, part.TaskGroups, part.Tasks].flatMap((one) => one ?? []);
    for (const one of parts) add(one, `${place}${one.Name ?? ""}.`);
  };
  add(difference, "");
  return { before: before.join(""), after: after.join("") };
}
