import { join } from "node:path";
import { wipe } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import { maxValueSize } from "../formats/payload.ts";
import { isExecutable } from "../host/executable.ts";
import { readRegularFile } from "../host/files.ts";
import { absolutePath } from "../host/machine.ts";
import { listCredentials } from "../host/memory.ts";
import { findProgram } from "../host/process.ts";
import { addedVariables, credentialVariables } from "./added-variables.ts";
import { nameOf, planEnvironment } from "./environment.ts";
import { environmentOf, refuseShadowing } from "./in-place.ts";
import { startPlan } from "./plan.ts";
import type { RunRequest } from "./run-options.ts";

/**
 * The plan of a launch for local work: the credentials are the files in a directory, as they are.
 *
 * @param shell - the process that becomes the service, which is not root's
 * @throws Failure `privileges/unwanted`, `program/not-executable`, `credential/missing`,
 *   `credential/not-for-environment`
 */
export async function preparePlain(
  request: RunRequest,
  directory: string,
  shell: number,
): Promise<Uint8Array> {
  refuseRoot();
  const original = await environmentOf(shell);
  refuseShadowing(original);
  if (request.renders.size > 0) {
    throw new Failure(
      "usage/invalid",
      "--render needs a bundle's credentials, and --plain has none",
      "put the rendered file into the directory",
    );
  }
  const path = original.find((variable) => nameOf(variable) === "PATH")?.value;
  if (!(await isExecutable(request.program, path && Buffer.from(path).toString()))) {
    throw new Failure("program/not-executable", `${request.program} is no program that can be run`);
  }
  const place = absolutePath(directory);
  const names = await listCredentials(place);
  const absent = request.credentials?.find((name) => !names.includes(name));
  if (absent !== undefined) {
    throw new Failure(
      "credential/missing",
      `${place} has no credential ${absent}`,
      "put it there, as a file of that name",
    );
  }
  const wanted = new Set(request.variables.values());
  const lacking = [...wanted].find((name) => !names.includes(name));
  if (lacking !== undefined) {
    throw new Failure(
      "credential/missing",
      `--env asks for credential ${lacking}, and ${place} has none of that name`,
      "put it there, as a file of that name",
    );
  }
  const values = await Promise.all(
    names
      .filter((name) => wanted.has(name))
      .map(async (name) => ({
        name,
        value: (await readRegularFile(join(place, name), maxValueSize)) ?? new Uint8Array(),
      })),
  );
  try {
    const added = addedVariables(undefined, place, credentialVariables(request.variables, values));
    const warning = `credentials come from ${place}, sealed by nobody: for local work only`;
    return startPlan({
      change: planEnvironment(original, added),
      freeze: false,
      // Nothing is dropped; but unlike env(1) it takes no program for a variable.
      command: [await findProgram("setpriv"), "--"],
      user: undefined,
      env: await findProgram("env"),
      warnings: [warning],
    });
  } finally {
    wipe(...values.map(({ value }) => value));
  }
}

function refuseRoot(): void {
  if (process.geteuid?.() !== 0) return;
  throw new Failure(
    "privileges/unwanted",
    "root doesn't launch with credentials that nobody has signed",
  );
}
