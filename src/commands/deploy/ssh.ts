import type { Cluster } from "../../cluster/cluster.ts";
import { textOf, utf8 } from "../../crypto/bytes.ts";
import { Failure, failures, type FailureCode } from "../../failure.ts";
import { decodeInstallAnswer, type InstallAnswer } from "../../formats/install-answer.ts";
import { copyClosures } from "../../host/nix/copy.ts";
import { runOverSsh, type Remote } from "../../host/ssh/remote.ts";
import { systemdUnit } from "../../service/systemd-unit.ts";
import type { Context } from "../context.ts";
import type { Deployed, Difference, Release, Submission } from "./submission.ts";
import { withKnownHosts, type Target } from "./targets.ts";
import { fillMirror } from "../sync/ssh.ts";

/** How nodes are changed over ssh. */
export interface SshOptions {
  /** How many at the same time. */
  readonly atOnce: number;
  /** What it runs is copied from here, instead of fetched by the nodes. */
  readonly copyClosure: boolean;
  /** The nodes' mirrors are filled from here. */
  readonly carriesSealed: boolean;
}

/** Brings a release to nodes over ssh, where `unit --install` puts it in place and watches it. */
export function submitOverSsh(
  context: Context,
  cluster: Cluster,
  release: Release,
  targets: readonly Target[],
  options: SshOptions,
): Submission {
  return {
    difference: async () => {
      await using known = await withKnownHosts(targets);
      return await Promise.all(
        targets.map((target) => differenceOn(context, release, target, known.options(target))),
      );
    },
    submit: async () => {
      await using known = await withKnownHosts(targets);
      return await rollOut(targets, options.atOnce, (target) =>
        deployTo(context, cluster, release, target, { ...options, ssh: known.options(target) }),
      );
    },
  };
}

async function differenceOn(
  context: Context,
  release: Release,
  { node, host }: Target,
  ssh: readonly string[],
): Promise<Difference> {
  try {
    const answer = await install(context, release, { host, options: ssh }, "--dry-run");
    if (!("code" in answer)) return { node, host, diff: answer.diff, failure: undefined };
    return { node, host, diff: "", failure: failureOf(answer) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { node, host, diff: "", failure: error };
  }
}

async function deployTo(
  context: Context,
  cluster: Cluster,
  release: Release,
  { node, host }: Target,
  options: SshOptions & { readonly ssh: readonly string[] },
): Promise<Deployed> {
  const remote = { host, options: options.ssh };
  try {
    if (options.copyClosure) await copyClosures(remote, release.storePaths, context.environment);
    if (options.carriesSealed) {
      const [failure] = await fillMirror(silent(context), cluster, remote);
      if (failure !== undefined) throw failure;
    }
    const answer = await install(context, release, remote, "");
    if ("code" in answer)
      return { node, host, state: "left as it was", failure: failureOf(answer) };
    return { node, host, state: answer.changed ? "runs" : "ran already", failure: undefined };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { node, host, state: "not reached", failure: error };
  }
}

async function install(
  { environment }: Context,
  { service, guard, unit, settle }: Release,
  remote: Remote,
  option: string,
): Promise<InstallAnswer> {
  // Unit names have no quote. The answer is the standard output, or the refusal that ends the other one.
  const words = `--settle ${String(settle)} --json ${option}`;
  const command = `d=$(mktemp -d) && cat >"$d"/'${unit}' &&
    { sealaunch unit --install "$d"/'${unit}' ${words} 2>"$d"/why || cat "$d"/why; rm -r "$d"; }`;
  const text = utf8(systemdUnit(service, guard));
  const said = textOf(await runOverSsh(remote, command, text, environment)) ?? "";
  const answer = decodeInstallAnswer(said);
  if (answer !== undefined) return answer;
  const last = said.trim().split("\n").at(-1) ?? "";
  throw new Failure("ssh/failed", `${remote.host} doesn't answer as sealaunch does: ${last}`);
}

function failureOf(answer: Extract<InstallAnswer, { readonly code: string }>): Failure {
  return new Failure(knownCode(answer.code), answer.message, answer.hint);
}

/** A node may have another version, with codes that aren't known here. */
function knownCode(code: string): FailureCode {
  return Object.hasOwn(failures, code) ? (code as FailureCode) : "unit/not-started";
}

/** For a part of a command: what it answers to programs is no answer of the whole. */
export function silent(context: Context): Context {
  return { ...context, result: () => undefined };
}

/** Each target once, some at a time; none more after one on which it didn't start. */
async function rollOut(
  targets: readonly Target[],
  atOnce: number,
  act: (target: Target) => Promise<Deployed>,
): Promise<Deployed[]> {
  const results = new Map<string, Deployed>();
  const waiting = [...targets];
  const work = async (): Promise<void> => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      const result = await act(target);
      results.set(target.node, result);
      if (result.state === "left as it was") waiting.length = 0;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return targets.map(
    ({ node, host }) => results.get(node) ?? { node, host, state: "not tried", failure: undefined },
  );
}
