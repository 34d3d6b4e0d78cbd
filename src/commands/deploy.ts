import { basename } from "node:path";
import { requireReady } from "../cluster/readiness.ts";
import { readRoster, requireReadStatement, type Cluster } from "../cluster/cluster.ts";
import { requireRepository } from "../cluster/configuration.ts";
import { Failure } from "../failure.ts";
import type { ServiceFile } from "../formats/service-file.ts";
import { parseRequest } from "../launch/run-options.ts";
import { parseProgram } from "../service/store-path.ts";
import { systemdUnit } from "../service/systemd-unit.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import type { Context } from "./context.ts";
import { deployTo, silent, type Deployed, type Release } from "./deploy-node.ts";
import { chooseTargets, withKnownHosts, type Target } from "./deploy-targets.ts";
import { publish } from "./publish.ts";
import { openToSign } from "./repository.ts";
import { guardOf, readService } from "./unit.ts";

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
  const service = await readService(context, path);
  const { name: unit, guard } = await guardOf(context, service);
  const cluster = await openToSign(context);
  const { record: roster } = await readRoster(cluster);
  const targets = await chooseTargets(context, cluster, roster, service, options);
  await requireAllReady(cluster, roster, service, targets);
  const { configuration } = await requireRepository(context.directory, context.configuration);
  const { storePath } = parseProgram(service.program);
  if (!options.copyClosure && configuration.cache !== undefined && !options.isDryRun) {
    const none = { cacheKey: [], upstream: [], timeout: 30, dryRun: false };
    await publish(silent(context), [storePath], none);
  }
  const release: Release = {
    unit,
    text: systemdUnit(service, guard),
    storePath,
    // Where there is no source that the nodes read, what is sealed goes along.
    carriesSealed: configuration.source.startsWith("dir:"),
    ...options,
  };
  await using known = await withKnownHosts(targets);
  const results = await rollOut(targets, options.atOnce, (target) =>
    deployTo(context, cluster, release, target, known.options(target)),
  );
  await context.table(
    ["node", "host", "", "why"],
    results.map(({ node, host, state, failure }) => [node, host, state, failure?.message ?? ""]),
  );
  context.result({
    unit,
    nodes: results.map(({ failure, ...result }) => ({
      ...result,
      ...(failure === undefined ? {} : { code: failure.code, why: failure.message }),
    })),
  });
  conclude(basename(path), results);
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

function conclude(service: string, results: readonly Deployed[]): void {
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
