import { join } from "node:path";
import { decodeDecision, encodeDecision, type Decision } from "../formats/decision.ts";
import {
  listDirectory,
  makeDirectory,
  readRegularFile,
  removeFile,
  replaceVolatileFile,
} from "../host/files.ts";

/** Where decisions lie: in memory, since no start outlives the machine's. */
const place = "/run/sealaunch/decisions";

const maxDecisionSize = 256 * 1024;

const pathOf = (invocation: string): string => join(place, `${invocation}.json`);

/**
 * What was decided for a start; undefined if nothing was yet.
 *
 * @throws Failure `source/hostile`, `source/unreadable`, `configuration/invalid`
 */
export async function readDecision(invocation: string): Promise<Decision | undefined> {
  const path = pathOf(invocation);
  const bytes = await readRegularFile(path, maxDecisionSize);
  return bytes === undefined ? undefined : decodeDecision(bytes, path);
}

/** After it, that is what the start gets, whatever changes meanwhile. @throws Failure `write/refused` */
export function keepDecision(decision: Decision): void {
  replaceVolatileFile(pathOf(decision.invocation), encodeDecision(decision), 0o600);
}

/** After it, decisions have a place that is root's alone. @throws Failure `write/refused` */
export function makePlace(): Promise<void> {
  return makeDirectory(place, 0o700);
}

/** The invocations for which something was decided. */
export async function listDecisions(): Promise<string[]> {
  const names = await listDirectory(place);
  return names
    .map((name) => /^([0-9a-f]{32})\.json$/u.exec(name)?.[1])
    .filter((invocation) => invocation !== undefined);
}

/** After it, nothing is known of that start. */
export function forgetDecision(invocation: string): Promise<void> {
  return removeFile(pathOf(invocation));
}
