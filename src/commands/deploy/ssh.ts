import type { Cluster } from "../../cluster/cluster.ts";
import { Failure } from "../../failure.ts";
import { copyClosures } from "../../host/nix/copy.ts";
import type { Remote } from "../../host/ssh/remote.ts";
import { asPart, type Context } from "../context.ts";
import { failureOf, install } from "./on-node.ts";
import type { Deployed, Difference, Release, Submission } from "./submission.ts";
import { withKnownHosts, type KnownHosts, type Target } from "../targets.ts";
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

/** Nodes are only asked this many at a time. */
const askedAtOnce = 8;

/** Brings a release to nodes over ssh, where `unit --install` puts it in place and watches it. */
export function submitOverSsh(
  context: Context,
  cluster: Cluster,
  release: Release,
  targets: readonly Target[],
  options: SshOptions,
): Submission {
  // Who doesn't answer when asked for the difference isn't waited for once more.
  const unreached = new Map<string, Failure>();
  return {
    difference: async () => {
      await using known = await withKnownHosts(targets);
      const differences = await differencesOn(context, release, targets, known);
      for (const { node, failure } of differences)
        if (failure?.code === "ssh/failed") unreached.set(node, failure);
      return differences;
    },
    submit: async () => {
      await using known = await withKnownHosts(targets);
      const told = new Map<string, Deployed>();
      using progress = context.progress("nodes done", targets.length);
      await inTurns(targets, options.atOnce, async (target) => {
        const { node, host } = target;
        const failure = unreached.get(node);
        const deployed =
          failure === undefined
            ? await deployTo(context, cluster, release, target, known.options(target), options)
            : ({ node, host, state: "not reached", failure } as const);
        told.set(node, deployed);
        progress.at(told.size);
        return deployed.state !== "left as it was";
      });
      return targets.map(
        ({ node, host }) =>
          told.get(node) ?? { node, host, state: "not tried", failure: undefined },
      );
    },
  };
}

/** What a release would change on nodes, of which `unit --install` says it there, with one more option. */
export async function differencesOn(
  context: Context,
  release: Release,
  targets: readonly Target[],
  known: KnownHosts,
  option = "",
): Promise<Difference[]> {
  const told = new Map<string, Difference>();
  using progress = context.progress("asked nodes", targets.length);
  await inTurns(targets, askedAtOnce, async (target) => {
    const ssh = known.options(target);
    told.set(target.node, await differenceOn(context, release, target, ssh, option));
    progress.at(told.size);
    return true;
  });
  return targets.flatMap(({ node }) => told.get(node) ?? []);
}

async function differenceOn(
  context: Context,
  release: Release,
  { node, host }: Target,
  ssh: readonly string[],
  option: string,
): Promise<Difference> {
  try {
    const answer = await install(context, release, { host, options: ssh }, `--dry-run ${option}`);
    if ("code" in answer) return { node, host, diff: "", failure: failureOf(answer) };
    const { diff, now, lack } = answer;
    return { node, host, diff, now, lack: lack && failureOf(lack), failure: undefined };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { node, host, diff: "", failure: error };
  }
}

/** After it, a node has what a start of a release needs, as far as it is brought from here. */
export async function bringTo(
  context: Context,
  cluster: Cluster,
  { storePaths }: Release,
  remote: Remote,
  options: SshOptions,
): Promise<void> {
  if (options.copyClosure) await copyClosures(remote, storePaths, context.environment);
  if (!options.carriesSealed) return;
  const [failure] = await fillMirror(asPart(context), cluster, remote);
  if (failure !== undefined) throw failure;
}

async function deployTo(
  context: Context,
  cluster: Cluster,
  release: Release,
  { node, host }: Target,
  ssh: readonly string[],
  options: SshOptions,
): Promise<Deployed> {
  const remote = { host, options: ssh };
  try {
    await bringTo(context, cluster, release, remote, options);
    const answer = await install(context, release, remote, "");
    if ("code" in answer)
      return { node, host, state: "left as it was", failure: failureOf(answer) };
    return { node, host, state: answer.changed ? "runs" : "ran already", failure: undefined };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { node, host, state: "not reached", failure: error };
  }
}

/** Each target once, some at a time; none more after one with which it can't go on. */
async function inTurns(
  targets: readonly Target[],
  atOnce: number,
  act: (target: Target) => Promise<boolean>,
): Promise<void> {
  const waiting = [...targets];
  const work = async (): Promise<void> => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      if (!(await act(target))) waiting.length = 0;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
