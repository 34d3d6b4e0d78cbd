import type { Cluster } from "../cluster/cluster.ts";
import { textOf, utf8 } from "../crypto/bytes.ts";
import { Failure, failures, type FailureCode } from "../failure.ts";
import { decodeInstallAnswer, type InstallAnswer } from "../formats/install-answer.ts";
import { copyClosure } from "../host/nix-copy.ts";
import { runOverSsh, type Remote } from "../host/ssh-remote.ts";
import type { Context } from "./context.ts";
import type { Target } from "./deploy-targets.ts";
import { fillMirror } from "./sync-ssh.ts";

/** What is brought to each node. */
export interface Release {
  readonly unit: string;
  /** The unit's file. */
  readonly text: string;
  /** What it runs. */
  readonly storePath: string;
  readonly settle: number;
  readonly copyClosure: boolean;
  /** Whether the node's mirror is filled from here. */
  readonly carriesSealed: boolean;
  readonly isDryRun: boolean;
}

/** What came of it on one node. */
export interface Deployed {
  readonly node: string;
  readonly host: string;
  readonly state:
    "runs" | "ran already" | "would change" | "left as it was" | "not reached" | "not tried";
  readonly failure: Failure | undefined;
}

/** Brings a release to one node; nothing that fails there is thrown. */
export async function deployTo(
  context: Context,
  cluster: Cluster,
  release: Release,
  { node, host }: Target,
  options: readonly string[],
): Promise<Deployed> {
  const remote = { host, options };
  try {
    if (!release.isDryRun) {
      if (release.copyClosure) await copyClosure(remote, release.storePath, context.environment);
      if (release.carriesSealed) {
        const [failure] = await fillMirror(silent(context), cluster, remote);
        if (failure !== undefined) throw failure;
      }
    }
    const answer = await install(context, release, remote);
    if ("code" in answer) {
      const failure = new Failure(knownCode(answer.code), answer.message, answer.hint);
      return { node, host, state: "left as it was", failure };
    }
    if (answer.runs)
      return { node, host, state: answer.changed ? "runs" : "ran already", failure: undefined };
    context.print(`${node}:`);
    for (const line of answer.diff.trimEnd().split("\n").slice(1)) context.print(line);
    return { node, host, state: "would change", failure: undefined };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { node, host, state: "not reached", failure: error };
  }
}

async function install(
  { environment }: Context,
  { unit, text, settle, isDryRun }: Release,
  remote: Remote,
): Promise<InstallAnswer> {
  // Unit names have no quote. The answer is the standard output, or the refusal that ends the other one.
  const words = `--settle ${String(settle)} --json${isDryRun ? " --dry-run" : ""}`;
  const command = `d=$(mktemp -d) && cat >"$d"/'${unit}' &&
    { sealaunch unit --install "$d"/'${unit}' ${words} 2>"$d"/why || cat "$d"/why; rm -r "$d"; }`;
  const said = textOf(await runOverSsh(remote, command, utf8(text), environment)) ?? "";
  const answer = decodeInstallAnswer(said);
  if (answer !== undefined) return answer;
  const last = said.trim().split("\n").at(-1) ?? "";
  throw new Failure("ssh/failed", `${remote.host} doesn't answer as sealaunch does: ${last}`);
}

/** A node may have another version, with codes that aren't known here. */
function knownCode(code: string): FailureCode {
  return Object.hasOwn(failures, code) ? (code as FailureCode) : "unit/not-started";
}

/** For a part of a command: what it answers to programs is no answer of the whole. */
export function silent(context: Context): Context {
  return { ...context, result: () => undefined };
}
