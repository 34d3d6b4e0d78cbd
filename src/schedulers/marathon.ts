import { Failure } from "../failure.ts";
import {
  decodeMarathonApp,
  decodeMarathonChanged,
  decodeMarathonError,
  type MarathonApp,
  type MarathonError,
} from "../formats/schedulers/marathon.ts";
import { printable } from "../printable.ts";
import { ask, textOfReply, type Endpoint, type Reply } from "./http.ts";
import { waitUntilRunning, type Standing } from "./running.ts";

/**
 * After it, Marathon runs this version of an app, and has ended the one before as the app's
 * upgradeStrategy says.
 *
 * @param app - as `sealaunch unit --for marathon` writes it, parsed
 * @param deadlineMs - from when Marathon has taken it
 * @param options - `force` ends a deployment of the same app that still runs
 * @returns the hosts on which it runs
 * @throws Failure `scheduler/conflict` if another deployment of the app still runs; `scheduler/refused`,
 *   `scheduler/not-running`, `scheduler/unavailable`
 */
export async function submitToMarathon(
  endpoint: Endpoint,
  app: { readonly id: string },
  deadlineMs: number,
  options: { readonly force?: boolean } = {},
): Promise<readonly string[]> {
  const path = pathOf(app.id);
  const query = options.force === true ? "?force=true" : "";
  const reply = await ask(endpoint, "PUT", `${path}${query}`, app);
  if (reply.status !== 200 && reply.status !== 201) throw refused(endpoint, app.id, reply);
  const { version, deploymentId } = decodeMarathonChanged(reply.body);
  return waitUntilRunning(`app ${app.id} of Marathon`, deadlineMs, async () => {
    const now = await ask(endpoint, "GET", path);
    if (now.status === 404) return { why: "somebody else has removed it", isFinal: true };
    if (now.status !== 200) throw refused(endpoint, app.id, now);
    return standing(decodeMarathonApp(now.body), version, deploymentId);
  });
}

/** After it, Marathon has no such app, and ends its tasks. @throws Failure `scheduler/refused`, … */
export async function removeFromMarathon(endpoint: Endpoint, id: string): Promise<void> {
  const reply = await ask(endpoint, "DELETE", pathOf(id));
  if (reply.status !== 200 && reply.status !== 204 && reply.status !== 404) {
    throw refused(endpoint, id, reply);
  }
}

const pathOf = (id: string): string =>
  `/v2/apps/${id.split("/").filter(Boolean).map(encodeURIComponent).join("/")}`;

function standing(app: MarathonApp, version: string, deploymentId: string): Standing {
  const checks = app.healthChecks?.length ?? 0;
  const isWell = ({
    startedAt,
    healthCheckResults,
    state,
  }: MarathonApp["tasks"][number]): boolean =>
    typeof startedAt === "string" &&
    (state === undefined || state === "TASK_RUNNING") &&
    (checks === 0 || (healthCheckResults ?? []).some(({ alive }) => alive));
  const running = app.tasks.filter((task) => task.version === version && isWell(task));
  const isUnderWay = app.deployments.some(({ id }) => id === deploymentId);
  if (!isUnderWay && running.length >= app.instances) {
    return { nodes: [...new Set(running.map(({ host }) => host))].sort() };
  }
  if (app.version !== version && !isUnderWay) {
    return { why: `version ${printable(app.version)} took its place`, isFinal: true };
  }
  const { lastTaskFailure: failure } = app;
  const counted = `${String(running.length)} of ${String(app.instances)} are running and well`;
  if (failure?.version !== version) {
    return { why: `${counted}; no agent's offer fits, or the others are still being started` };
  }
  return { why: `${counted}; ${failure.state} on ${failure.host}: ${printable(failure.message)}` };
}

function refused({ url }: Endpoint, id: string, reply: Reply): Failure {
  const message = `Marathon at ${url} answers ${String(reply.status)} to app ${id}: ${said(reply)}`;
  if (reply.status === 409) {
    return new Failure(
      "scheduler/conflict",
      message,
      "wait until that deployment is over, or cancel it in Marathon",
    );
  }
  const code = reply.status >= 500 ? "scheduler/unavailable" : "scheduler/refused";
  return new Failure(code, message);
}

/** Its message and, field by field, what is wrong; 422 has these. */
function said(reply: Reply): string {
  let error: MarathonError;
  try {
    error = decodeMarathonError(reply.body);
  } catch {
    return textOfReply(reply);
  }
  const { message, details = [], deployments = [] } = error;
  const fields = details.map(({ path = "", errors }) => `${path} ${errors.join(", ")}`.trim());
  const locks = deployments.map(({ id }) => `deployment ${id}`);
  return printable([message, ...fields, ...locks].join("; ").slice(0, 300));
}
