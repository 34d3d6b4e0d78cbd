import type { Cluster } from "../../cluster/cluster.ts";
import { textOf, utf8 } from "../../crypto/bytes.ts";
import { Failure } from "../../failure.ts";
import { runOverSsh, type Remote } from "../../host/ssh/remote.ts";
import type { RunOnNode } from "../../schedulers/pacemaker/configuring.ts";
import type { PacemakerNodes } from "../../schedulers/pacemaker/pacemaker.ts";
import type { Patience } from "../../schedulers/running.ts";
import {
  pacemakerCib,
  pacemakerUnit,
  withoutStart,
} from "../../service/scheduled/pacemaker-cib.ts";
import type { Context } from "../context.ts";
import { failureOf, install } from "./on-node.ts";
import { differenceAt, submitAt } from "./scheduled.ts";
import { bringTo, differencesOn, type SshOptions } from "./ssh.ts";
import type { Release, Submission } from "./submission.ts";
import { withKnownHosts, type KnownHosts, type Target } from "../targets.ts";

/** Puts a release's unit on all nodes, over ssh, and has Pacemaker run it on those that it picks. */
export async function submitThroughPacemaker(
  context: Context,
  cluster: Cluster,
  release: Release,
  targets: readonly Target[],
  options: SshOptions & { readonly patience: Patience; readonly node: string | undefined },
): Promise<Submission> {
  // With a parser of XML.
  const { submitToPacemaker } = await import("../../schedulers/pacemaker/pacemaker.ts");
  const { service, guard } = release;
  const { name, instances } = service;
  const unit = pacemakerUnit(service, guard);
  const what = { name, instances, configuration: utf8(pacemakerCib(service, unit)) };
  // What `install` writes of it is that unit.
  const placed = { ...release, service: withoutStart(service) };
  const first = targets.find(({ node }) => node === options.node) ?? targets[0];
  const place = { node: "pacemaker", host: first?.host ?? "" };
  const placing = { ...options, context, cluster, release: placed, targets, first };
  return {
    difference: async () => {
      await using known = await withKnownHosts(targets);
      const submitting = submitToPacemaker(nodesOf(placing, known), what);
      const nodes = await differencesOn(context, placed, targets, known, inPlace);
      return [...nodes, await differenceAt(place, submitting)];
    },
    submit: async () => {
      await using known = await withKnownHosts(targets);
      const submitting = submitToPacemaker(nodesOf(placing, known), what);
      return await submitAt(place, submitting, options.patience);
    },
  };
}

/** As `unit --install` has it where somebody else starts the unit. */
const inPlace = "--for pacemaker";

interface Placing extends SshOptions {
  readonly context: Context;
  readonly cluster: Cluster;
  readonly release: Release;
  readonly targets: readonly Target[];
  /** On which the cluster is configured. */
  readonly first: Target | undefined;
}

function nodesOf(placing: Placing, known: KnownHosts): PacemakerNodes {
  const { context, cluster, release, targets, first } = placing;
  const { unit } = release;
  const remoteOf = (target: Target): Remote => ({
    host: target.host,
    options: known.options(target),
  });
  const ssh = async (target: Target, command: string, input = ""): Promise<string> =>
    textOf(await runOverSsh(remoteOf(target), command, utf8(input), context.environment)) ?? "";
  /** What each node had before, of those that have another text now. */
  const before = new Map<Target, string>();
  const file = `/etc/systemd/system/${unit}`;
  const putUnitsBack = async (): Promise<void> => {
    for (const [target, old] of before) {
      const write = `cat >'${file}.before' && mv '${file}.before' '${file}'`;
      await ssh(
        target,
        `${old === "" ? `rm -f '${file}'` : write} && systemctl daemon-reload`,
        old,
      );
    }
    before.clear();
  };
  return {
    run: runOn(context, first && remoteOf(first)),
    invocationOn: async (node) => {
      const target = targets.find((one) => one.node === node);
      if (target === undefined) {
        const message = `Pacemaker runs ${release.service.name} on ${node}, which is in none of the service's pools`;
        throw new Failure("scheduler/not-running", message, `sealaunch roster add-node ${node}`);
      }
      const show = `systemctl show --property=ActiveState,InvocationID --value '${unit}'`;
      const said = (await ssh(target, show)).trim().split("\n");
      return said.includes("active")
        ? (said.find((line) => /^[0-9a-f]{32}$/u.test(line)) ?? "")
        : "";
    },
    placeUnits: async () => {
      try {
        for (const target of targets) {
          await bringTo(context, cluster, release, remoteOf(target), placing);
          const old = await ssh(target, `cat '${file}' 2>/dev/null || true`);
          const answer = await install(context, release, remoteOf(target), inPlace);
          if ("code" in answer) {
            const { code, message, hint } = failureOf(answer);
            throw new Failure(code, `${target.node}: ${message}`, hint);
          }
          if (answer.changed) before.set(target, old);
        }
      } catch (error) {
        await putUnitsBack();
        throw error;
      }
      return before.size > 0;
    },
    putUnitsBack,
  };
}

/** Runs Pacemaker's programs on a node: the exit status and the standard error follow what they print. */
function runOn(context: Context, remote: Remote | undefined): RunOnNode {
  return async (program, args, input = new Uint8Array()) => {
    if (remote === undefined) throw new Failure("usage/invalid", "there is no node to ask");
    const command = `e=$(mktemp); ${program} ${args.join(" ")} 2>"$e"; r=$?; printf '\n#%s\n' "$r"; cat "$e"; rm "$e"`;
    const said = textOf(await runOverSsh(remote, command, input, context.environment)) ?? "";
    const end = /\n#(?<status>[0-9]+)\n(?<stderr>[^]*)$/u.exec(said);
    return {
      exitCode: Number(end?.groups?.["status"] ?? 1),
      stdout: utf8(said.slice(0, end?.index)),
      stderr: end?.groups?.["stderr"] ?? "",
    };
  };
}
