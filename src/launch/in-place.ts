import { readFile } from "node:fs/promises";
import { wipe } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import { checkMount, claimDirectory, mountPoint, writeCredentials } from "../host/memory.ts";
import { realise } from "../host/nix/nix.ts";
import { findProgram } from "../host/process.ts";
import { dropCommand, type Privileges } from "../host/privileges.ts";
import { findGroup, findUser } from "../host/users.ts";
import { parseProgram } from "../service/store-path.ts";
import { addedVariables, credentialVariables, type Named } from "./added-variables.ts";
import {
  nameOf,
  parseEnvironment,
  planEnvironment,
  refuseUnsafe,
  type Variable,
} from "./environment.ts";
import { fetchBeside, type Fetching } from "./fetching.ts";
import type { Opening } from "./open.ts";
import { startPlan } from "./plan.ts";
import { renderAll } from "./render.ts";
import type { RunRequest } from "./run-options.ts";

/** The environment of the shell that becomes the service, exactly as it was started with. */
export async function environmentOf(shell: number): Promise<Variable[]> {
  return parseEnvironment(new Uint8Array(await readFile(`/proc/${String(shell)}/environ`)));
}

/**
 * The plan of a launch in place: when it is written, the closure is there and pinned, the
 * credentials lie where only the service's user can read them, and privileges are known to drop.
 *
 * @param shell - the process that becomes the service
 * @param begun - the nix-store that it has started, or 0
 * @throws Failure whatever keeps the service from starting; nothing is left behind then
 */
export async function prepareInPlace(
  request: RunRequest,
  shell: number,
  begun: number,
  now: Date,
): Promise<Uint8Array> {
  const original = await environmentOf(shell);
  refuseUnsafe(original);
  refuseShadowing(original);
  requireUser(request);
  const program = parseProgram(request.program);
  const place = await makePlace(request);
  // These need nothing of each other. All have ended when this goes on, so that a refusal leaves
  // nothing running.
  const pin = `/proc/${String(shell)}/root${place}/pin`;
  const fetching = fetchBeside(request, program, pin);
  const [realised, opened, read] = await Promise.allSettled([
    Promise.all([realise(program, pin, request.closureTimeoutMs, begun), ...fetching.values()]),
    open(request, fetching, now),
    readPrivileges(request),
  ]);
  const values: Named[] = opened.status === "fulfilled" ? [...opened.value.credentials] : [];
  try {
    // In the order in which somebody would mend them.
    if (read.status === "rejected") throw read.reason;
    if (opened.status === "rejected") throw opened.reason;
    if (realised.status === "rejected") throw realised.reason;
    const privileges = read.value;
    const credentials = new Map(values.map(({ name, value }) => [name, value]));
    for (const [name, value] of await renderAll(request.renders, credentials)) {
      values.push({ name, value });
    }
    const variables = credentialVariables(request.variables, values);
    const directory = `${place}/credentials`;
    const owner = { uid: privileges.user.uid, gid: privileges.gid };
    await writeCredentials(directory, values, owner);
    return startPlan({
      change: planEnvironment(original, addedVariables(privileges.user, directory, variables)),
      freeze: request.credentialsDirectory === undefined,
      command: await dropCommand(privileges),
      user: request.user ?? "",
      env: await findProgram("env"),
      warnings: opened.value.warnings.map(({ message }) => message),
    });
  } finally {
    wipe(...values.map(({ value }) => value));
  }
}

/** A unit's own credentials would silently be hidden behind ours. */
export function refuseShadowing(original: readonly Variable[]): void {
  if (!original.map(nameOf).includes("CREDENTIALS_DIRECTORY")) return;
  throw new Failure(
    "usage/invalid",
    "CREDENTIALS_DIRECTORY is set already: the service has credentials from somebody else",
    "take LoadCredential= and SetCredential= out of the unit, and seal what they gave",
  );
}

function requireUser({ user }: RunRequest): void {
  if (user !== undefined) return;
  throw new Failure(
    "usage/invalid",
    "launching in place needs the user that the service runs as",
    "--user USER; --user root keeps root's rights",
  );
}

async function readPrivileges(request: RunRequest): Promise<Privileges> {
  const [user, group, groups] = await Promise.all([
    findUser(request.user ?? ""),
    request.group === undefined ? undefined : findGroup(request.group),
    Promise.all(request.supplementaryGroups.map(findGroup)),
  ]);
  return {
    user,
    gid: group ?? user.gid,
    groups: groups.length === 0 ? undefined : groups,
    ambientCapabilities: request.ambientCapabilities,
    noNewPrivileges: request.noNewPrivileges,
  };
}

async function makePlace({ credentialsDirectory }: RunRequest): Promise<string> {
  if (credentialsDirectory !== undefined) return claimDirectory(credentialsDirectory);
  await checkMount();
  return mountPoint;
}

async function open(request: RunRequest, fetching: Fetching, now: Date): Promise<Opening> {
  // A service without secrets is launched all the same, and needs no node configuration.
  if (request.bundles.length === 0)
    return { credentials: [], bundles: [], mirroredAt: undefined, warnings: [] };
  const { bundles, credentials, unit } = request;
  const [{ openBringing }, { openBundles }, { readNode }, { readNodeIdentities }] =
    await Promise.all([
      import("./bringing.ts"),
      import("./open.ts"),
      import("../cluster/configuration.ts"),
      import("../cluster/identities.ts"),
    ]);
  const node = await readNode(request.configuration);
  for (const { path } of bundles) await fetching.get(path ?? "");
  const asked = { bundles, credentials, unit, inPlace: true };
  return openBringing(request, node, request.closureTimeoutMs, () =>
    openBundles(asked, node, () => readNodeIdentities(node, undefined), now),
  );
}
