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

/** A reload that fetches a running unit's credentials anew. */
export interface Refresh {
  readonly invocation: string;
  /** The process that does: `PID-START`, of which no two are the same while the machine runs. */
  readonly process: string;
}

const refreshPath = ({ invocation, process }: Refresh): string =>
  join(place, `${invocation}.${process}.json`);

/** What was decided for a reload, which may not be over, or has failed. @throws Failure as {@link readDecision} */
export async function readRefresh(refresh: Refresh): Promise<Decision | undefined> {
  const path = refreshPath(refresh);
  const bytes = await readRegularFile(path, maxDecisionSize);
  return bytes === undefined ? undefined : decodeDecision(bytes, path);
}

/** After it, that is what the reload gets. The unit still runs on what it has. @throws Failure `write/refused` */
export function keepRefresh(refresh: Refresh, decision: Decision): void {
  replaceVolatileFile(refreshPath(refresh), encodeDecision(decision), 0o600);
}

/** The reloads for which something was decided, and which haven't been settled. */
export async function listRefreshes(): Promise<Refresh[]> {
  const names = await listDirectory(place);
  return names.flatMap((name) => {
    const [, invocation, process] = /^([0-9a-f]{32})\.([0-9]+-[0-9]+)\.json$/u.exec(name) ?? [];
    return invocation === undefined || process === undefined ? [] : [{ invocation, process }];
  });
}

/** After it, nothing is known of that reload. */
export function forgetRefresh(refresh: Refresh): Promise<void> {
  return removeFile(refreshPath(refresh));
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
