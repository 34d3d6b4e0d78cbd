import { basename } from "node:path";
import { requireReady } from "../../cluster/readiness.ts";
import { readRoster, requireReadStatement, type Cluster } from "../../cluster/cluster.ts";
import { requireRepository } from "../../cluster/configuration.ts";
import { Failure } from "../../failure.ts";
import type { ServiceFile } from "../../formats/service-file.ts";
import { parseRequest } from "../../launch/run-options.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import type { Context } from "../context.ts";
import { silent, submitOverSsh } from "./ssh.ts";
import type { Deployed, Difference, Submission } from "./submission.ts";
import { chooseTargets, type Target } from "./targets.ts";
import { publish } from "../publish/publish.ts";
import { openToSign } from "../repository.ts";
import { openService } from "../unit/service.ts";
import { guardOf } from "../unit/unit.ts";

/** What `deploy` is asked. */
export interface DeployOptions {
  readonly pools: readonly string[];
  /** Of the pools' nodes only these; all if none is named. */
  readonly nodes: readonly string[];
  /** How many nodes are changed at the same time. */
  readonly atOnce: number;
  /** For so many seconds the service has to run on a node before it counts as running. */
  readonly settle: number;
  /** The closure is copied from here, over ssh, instead of fetched by the nodes. */
  readonly copyClosure: boolean;
  readonly isDryRun: boolean;
}

/**
 * After it, the nodes of the service's pools run it as its file says. A node on which it doesn't start runs
 * what it ran before, and no further node is changed then; one that isn't reached is told of, and the others
 * are done. What is done already is left alone.
 *
 * @throws Failure whatever would keep a node from starting it, before any is changed; else the first failure
 *   of a node
 */
export async function deploy(
  context: Context,
  path: string,
  options: DeployOptions,
): Promise<void> {
  await using opened = await openService(context, path, { isBuilt: !options.isDryRun });
  const { service, storePaths } = opened;
  const { name: unit, guard } = await guardOf(context, service);
  const cluster = await openToSign(context);
  const { record: roster } = await readRoster(cluster);
  const targets = await chooseTargets(context, cluster, roster, service, options);
  await requireAllReady(cluster, roster, service, targets);
  const { configuration } = await requireRepository(context.directory, context.configuration);
  if (!options.copyClosure && configuration.cache !== undefined && !options.isDryRun) {
    const none = { cacheKey: [], upstream: [], timeout: 30, dryRun: false };
    await publish(silent(context), storePaths, none);
  }
  const release = { service, unit, guard, storePaths, settle: options.settle };
  const submission = submitOverSsh(context, cluster, release, targets, {
    ...options,
    // Where there is no source that the nodes read, what is sealed goes along.
    carriesSealed: configuration.source.startsWith("dir:"),
  });
  const told = options.isDryRun
    ? await reportDifference(context, submission)
    : await submission.submit();
  await context.table(
    ["node", "host", "", "why"],
    told.map(({ node, host, state, failure }) => [node, host, state, failure?.message ?? ""]),
  );
  context.result({
    unit,
    nodes: told.map(({ failure, ...result }) => ({
      ...result,
      ...(failure === undefined ? {} : { code: failure.code, why: failure.message }),
    })),
  });
  conclude(basename(path), told);
}

/** What came of a release at one place, or would. */
type Told = Omit<Deployed, "state"> & {
  readonly state: Deployed["state"] | "would change";
};

/** Prints what would change, each difference once, with the nodes on which it is the same. */
async function reportDifference(context: Context, submission: Submission): Promise<Told[]> {
  const differences = await submission.difference();
  const byDiff = Map.groupBy(differences, ({ diff }) => diff);
  for (const [diff, places] of byDiff) {
    if (diff === "") continue;
    context.print(`${places.map(({ node }) => node).join(", ")}:`);
    for (const line of diff.trimEnd().split("\n").slice(1)) context.print(line);
  }
  return differences.map((difference) => ({ ...difference, state: stateOf(difference) }));
}

function stateOf({ diff, failure }: Difference): Told["state"] {
  if (failure !== undefined)
    return failure.code === "ssh/failed" ? "not reached" : "left as it was";
  return diff === "" ? "ran already" : "would change";
}

/** Returns if every node could start it, as far as can be told from here. */
async function requireAllReady(
  cluster: Cluster,
  roster: VerifiedRoster,
  { bundles }: ServiceFile,
  targets: readonly Target[],
): Promise<void> {
  const wanted = parseRequest(
    bundles.flatMap((bundle) => ["--bundle", bundle]),
    "",
  ).bundles;
  for (const { bundle, floor } of wanted) {
    const { record } = await requireReadStatement(cluster, roster, bundle);
    for (const { node } of targets) await requireReady(cluster, roster, record, { node, floor });
  }
}

function conclude(service: string, results: readonly Told[]): void {
  const failed = results.filter(({ failure }) => failure !== undefined);
  const [first] = failed;
  if (first?.failure === undefined) return;
  const left = results.filter(({ state }) => state === "not tried").length;
  throw new Failure(
    first.failure.code,
    `${service} on ${failed.map(({ node }) => node).join(", ")}: ${first.failure.message}${left === 0 ? "" : `; ${String(left)} more were left as they are`}`,
    first.failure.hint,
  );
}
