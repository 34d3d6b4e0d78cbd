import type { Cluster } from "../../cluster/cluster.ts";
import type { Context } from "../context.ts";
import { submitOverSsh, type SshOptions } from "./ssh.ts";
import type { Release, Submission } from "./submission.ts";
import type { Target } from "../targets.ts";
import type { Way } from "./way.ts";

/** What is to be brought to where, by whom it was seen that it could start there. */
export interface Ready {
  readonly cluster: Cluster;
  readonly release: Release;
  readonly targets: readonly Target[];
}

/** How it is brought there. */
export interface SubmissionOptions extends SshOptions {
  /** For so many seconds a scheduler may take until it runs; its startTimeout and a minute if undefined. */
  readonly within: number | undefined;
}

/** The way by which a release comes to run. @throws Failure `configuration/…` if it can't be gone */
export async function submissionOf(
  context: Context,
  way: Way,
  { cluster, release, targets }: Ready,
  options: SubmissionOptions,
): Promise<Submission> {
  const { service, settle } = release;
  const patience = {
    deadlineMs: (options.within ?? service.startTimeout + 60) * 1000,
    settleMs: settle * 1000,
  };
  if (way.through === "ssh") return submitOverSsh(context, cluster, release, targets, options);
  if (way.through === "pacemaker") {
    const { submitThroughPacemaker } = await import("./pacemaker.ts");
    const placing = { ...options, patience, node: way.node };
    return submitThroughPacemaker(context, cluster, release, targets, placing);
  }
  const { submitThrough } = await import("./scheduled.ts");
  return submitThrough(way, release, patience);
}
