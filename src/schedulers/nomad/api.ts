import { Failure } from "../../failure.ts";
import { decodeNomadJob, decodeNomadPlan, type NomadJob } from "../../formats/schedulers/nomad.ts";
import { ask, textOfReply, type Endpoint, type Reply } from "../http.ts";

/** A job as `sealaunch unit --for nomad` writes it, parsed. */
export interface WrittenJob {
  readonly Job: { readonly ID: string; readonly Type: string };
}

/** The path of a job. */
export const pathOf = (id: string): string => `/v1/job/${encodeURIComponent(id)}`;

/** A job as Nomad has it; undefined if it has none. @throws Failure `scheduler/…` */
export async function jobAt(endpoint: Endpoint, id: string): Promise<NomadJob | undefined> {
  const reply = await ask(endpoint, "GET", pathOf(id));
  if (reply.status === 404) return undefined;
  if (reply.status !== 200) throw refused(endpoint, `job ${id}`, reply);
  return decodeNomadJob(reply.body);
}

/** What would come of registering a job. Nothing is changed. @throws Failure `scheduler/…` */
export async function planOf(
  endpoint: Endpoint,
  { Job }: WrittenJob,
): Promise<ReturnType<typeof decodeNomadPlan>> {
  const reply = await expectOk(endpoint, Job.ID, "POST", `${pathOf(Job.ID)}/plan`, {
    Job,
    Diff: true,
  });
  return decodeNomadPlan(reply.body);
}

/** The answer to a request about a job. @throws Failure `scheduler/…` if it isn't 200 */
export async function expectOk(
  endpoint: Endpoint,
  id: string,
  method: "GET" | "PUT" | "POST" | "DELETE",
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
  // Both are a 500 like any fault of a server's, and told apart by their words.
  if (/job modify index|enforcing version/iu.test(said))
    return new Failure("scheduler/conflict", message);
  const isTheirs = reply.status >= 500 && !said.includes("validation");
  return new Failure(isTheirs ? "scheduler/unavailable" : "scheduler/refused", message);
}
