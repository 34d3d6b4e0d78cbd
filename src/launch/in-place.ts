import { readFile } from "node:fs/promises";
import { wipe } from "../crypto/bytes.ts";
import type { OpenedCredential } from "../cluster/opening.ts";
import { Failure } from "../failure.ts";
import {
  claimDirectory,
  mountMemory,
  mountPoint,
  sealMount,
  writeCredentials,
} from "../host/memory.ts";
import { realise } from "../host/nix.ts";
import { findProgram } from "../host/process.ts";
import { dropCommand, tryDrop, type Privileges } from "../host/privileges.ts";
import { findGroup, findUser } from "../host/users.ts";
import { parseProgram } from "../service/store-path.ts";
import { addedVariables, credentialVariables } from "./added-variables.ts";
import { parseEnvironment, planEnvironment, refuseUnsafe, type Variable } from "./environment.ts";
import { openBundles } from "./open.ts";
import { startPlan } from "./plan.ts";
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
 * @throws Failure whatever keeps the service from starting; nothing is left behind then
 */
export async function prepareInPlace(
  request: RunRequest,
  shell: number,
  now: Date,
): Promise<Uint8Array> {
  const original = await environmentOf(shell);
  refuseUnsafe(original);
  refuseShadowing(original);
  const program = parseProgram(request.program);
  const privileges = await readPrivileges(request);
  const owner = { uid: privileges.user.uid, gid: privileges.gid };
  const place = await makePlace(request, owner);
  // The closure, the secrets and the drop need nothing of each other. All end before this does,
  // so that a refusal leaves nothing running.
  const command = await dropCommand(privileges);
  const pin = `/proc/${String(shell)}/root${place}/pin`;
  const [realised, opened, dropped] = await Promise.allSettled([
    realise(program, pin, request.closureTimeoutMs),
    open(request, now),
    tryDrop(command, request.user ?? ""),
  ]);
  const values = opened.status === "fulfilled" ? opened.value.credentials : [];
  try {
    // In the order in which somebody would mend them.
    if (dropped.status === "rejected") throw dropped.reason;
    if (opened.status === "rejected") throw opened.reason;
    if (realised.status === "rejected") throw realised.reason;
    const variables = credentialVariables(request.variables, values);
    const directory = `${place}/credentials`;
    await writeCredentials(directory, values, owner);
    if (request.credentialsDirectory === undefined) await sealMount();
    const added = addedVariables(privileges.user, directory, variables);
    return startPlan(
      planEnvironment(original, added),
      command,
      await findProgram("env"),
      opened.value.warnings,
    );
  } finally {
    wipe(...values.map(({ value }) => value));
  }
}

/** A unit's own credentials would silently be hidden behind ours. */
export function refuseShadowing(original: readonly Variable[]): void {
  const names = original.map(({ name }) => Buffer.from(name).toString("latin1"));
  if (!names.includes("CREDENTIALS_DIRECTORY")) return;
  throw new Failure(
    "usage/invalid",
    "CREDENTIALS_DIRECTORY is set already: the service has credentials from somebody else",
    "take LoadCredential= and SetCredential= out of the unit, and seal what they gave",
  );
}

async function readPrivileges(request: RunRequest): Promise<Privileges> {
  if (request.user === undefined) {
    throw new Failure(
      "usage/invalid",
      "launching in place needs the user that the service runs as",
      "--user USER; --user root keeps root's rights",
    );
  }
  const [user, group, groups] = await Promise.all([
    findUser(request.user),
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

async function makePlace(
  { credentialsDirectory }: RunRequest,
  owner: { readonly uid: number; readonly gid: number },
): Promise<string> {
  if (credentialsDirectory !== undefined) return claimDirectory(credentialsDirectory, owner);
  await mountMemory();
  return mountPoint;
}

async function open(
  request: RunRequest,
  now: Date,
): Promise<{ credentials: readonly OpenedCredential[]; warnings: readonly string[] }> {
  // A service without secrets is launched all the same, and needs no node configuration.
  if (request.bundles.length === 0) return { credentials: [], warnings: [] };
  const { bundles, credentials, unit } = request;
  return openBundles({ bundles, credentials, unit, inPlace: true }, request.configuration, now);
}
