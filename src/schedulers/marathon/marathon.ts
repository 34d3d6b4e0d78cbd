import { Failure } from "../../failure.ts";
import {
  decodeMarathonApp,
  decodeMarathonChanged,
  type MarathonApp,
} from "../../formats/schedulers/marathon.ts";
import { printable } from "../../printable.ts";
import type { Endpoint } from "../http.ts";
import {
  goneBack,
  waitUntilRunning,
  withSequel,
  type Patience,
  type Standing,
  type Submitted,
  type Submitting,
} from "../running.ts";
import { askOf, pathOf, type WrittenApp } from "./api.ts";
import { isAsWritten, textsOf } from "./fields.ts";

/**
 * An app for Marathon, as `sealaunch unit --for marathon` writes it, parsed. Marathon ends the version before
 * as the app's upgradeStrategy says, and never one that it is still deploying; if this one doesn't run, its
 * deployment is taken back.
 */
export function submitToMarathon(endpoint: Endpoint, app: WrittenApp): Submitting {
  // What isn't given would stay as it was before (AppUpdate). These are Marathon's own presets.
  const whole = { cpus: 1, mem: 128, healthChecks: [], ...app };
  return {
    difference: async () => textsOf(whole, await askOf(endpoint, app.id, "GET", pathOf(app.id))),
    submit: (patience) => submit(endpoint, whole, patience),
  };
}

/** What Marathon makes of an app that is to replace another. */
interface Deploying {
  readonly version: string;
  /** Undefined if it isn't known, or over. */
  readonly deployment: string | undefined;
}

async function submit(endpoint: Endpoint, app: WrittenApp, patience: Patience): Promise<Submitted> {
  const what = `app ${app.id} of Marathon`;
  const look = async ({ version, deployment }: Deploying): Promise<Standing> => {
    const bytes = await askOf(endpoint, app.id, "GET", pathOf(app.id));
    if (bytes === undefined) return { why: "somebody else has removed it", isFinal: true };
    return standing(decodeMarathonApp(bytes), version, deployment);
  };
  const waitFor = (one: Deploying): Promise<readonly string[]> =>
    waitUntilRunning(what, patience, () => look(one));
  const before = await askOf(endpoint, app.id, "GET", pathOf(app.id));
  if (before !== undefined && isAsWritten(app, before)) {
    return { ranAlready: true, nodes: await waitFor(underWay(before)) };
  }
  const deploying = await put(endpoint, app);
  try {
    return { ranAlready: false, nodes: await waitFor(deploying) };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "scheduler/not-running") throw error;
    throw withSequel(error, await goneBack(() => goBack(endpoint, app, deploying, before)));
  }
}

/** Has Marathon deploy it. An answer that got lost is made up for by looking. */
async function put(endpoint: Endpoint, app: WrittenApp): Promise<Deploying> {
  try {
    const bytes = await askOf(endpoint, app.id, "PUT", pathOf(app.id), app);
    const { version, deploymentId } = decodeMarathonChanged(bytes ?? new Uint8Array());
    return { version, deployment: deploymentId };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "scheduler/unavailable") throw error;
    const now = await askOf(endpoint, app.id, "GET", pathOf(app.id));
    if (now === undefined || !isAsWritten(app, now)) throw error;
    return underWay(now);
  }
}

function underWay(bytes: Uint8Array): Deploying {
  const { version, deployments } = decodeMarathonApp(bytes);
  return { version, deployment: deployments[0]?.id };
}

/** For so long what ran before is looked for. */
const backWithin: Patience = { deadlineMs: 60_000, settleMs: 0 };

/** After it, what ran before runs, or nothing if nothing did. @returns what was done */
async function goBack(
  endpoint: Endpoint,
  { id }: WrittenApp,
  { version, deployment }: Deploying,
  before: Uint8Array | undefined,
): Promise<string> {
  const now = await askOf(endpoint, id, "GET", pathOf(id));
  if (now !== undefined) {
    const known = decodeMarathonApp(now);
    const isUnderWay = known.deployments.some((one) => one.id === deployment);
    // To delete a deployment makes another that takes it back.
    if (isUnderWay && deployment !== undefined)
      await askOf(endpoint, id, "DELETE", `/v2/deployments/${encodeURIComponent(deployment)}`);
    else if (known.version !== version) return `version ${printable(known.version)} is there now`;
    else if (before === undefined) await askOf(endpoint, id, "DELETE", pathOf(id));
    else {
      const { version: former } = decodeMarathonApp(before);
      await askOf(endpoint, id, "PUT", pathOf(id), { version: former });
    }
  }
  if (before === undefined) return "nothing of it ran before, and it was taken out again";
  const nodes = await waitUntilRunning(`what app ${id} was before`, backWithin, async () => {
    const bytes = await askOf(endpoint, id, "GET", pathOf(id));
    if (bytes === undefined) return { why: "somebody has removed it", isFinal: true };
    const { tasks, instances, deployments } = decodeMarathonApp(bytes);
    const running = tasks.filter((task) => task.version !== version && isWell(task, 0));
    const isOver = deployments.length === 0 && running.length >= instances;
    if (isOver) return { nodes: running.map(({ host }) => host).sort() };
    return { why: `${String(running.length)} of ${String(instances)} are running` };
  });
  return `the version before runs on ${[...new Set(nodes)].join(", ")}`;
}

type Task = MarathonApp["tasks"][number];

function isWell({ startedAt, healthCheckResults, state }: Task, checks: number): boolean {
  return (
    typeof startedAt === "string" &&
    (state === undefined || state === "TASK_RUNNING") &&
    (checks === 0 || (healthCheckResults ?? []).some(({ alive }) => alive))
  );
}

function standing(app: MarathonApp, version: string, deployment: string | undefined): Standing {
  const checks = app.healthChecks?.length ?? 0;
  const running = app.tasks.filter((task) => task.version === version && isWell(task, checks));
  const isUnderWay = app.deployments.some(({ id }) => id === deployment);
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
