import { basename } from "node:path";
import { readRoster } from "../../cluster/cluster.ts";
import { requireRepository } from "../../cluster/configuration.ts";
import type { WayName } from "../../service/scheduled/ways.ts";
import type { Context } from "../context.ts";
import { openToSign } from "../repository.ts";
import { openService } from "../unit/service.ts";
import { publishFor } from "./publishing.ts";
import { requireAllAble, requireAllReady } from "./readiness.ts";
import { reportDeployed, reportDifference } from "./report.ts";
import { sealChanged } from "./sealing.ts";
import { submissionOf } from "./submitting.ts";
import { chooseTargets } from "./targets.ts";
import { chooseWay, guardThrough, requireMeant } from "./way.ts";

/** What `deploy` is asked. */
export interface DeployOptions {
  readonly pools: readonly string[];
  /** Of the pools' nodes only these; all if none is named. */
  readonly nodes: readonly string[];
  /** How many nodes are changed at the same time. */
  readonly atOnce: number;
  /** For so many seconds the service has to run on a node before it counts as running. */
  readonly settle: number;
  /** Whether what it runs is built, where its file says of what; else Nix only says what it would be. */
  readonly build: boolean;
  /** Whether what it runs is published, where the configuration names a cache; else it has to be there. */
  readonly publish: boolean;
  /** What it runs is copied from here, over ssh, instead of fetched by the nodes. */
  readonly copyClosure: boolean;
  /** Else the scheduler that is configured, or ssh. */
  readonly through: WayName | undefined;
  /** For so many seconds a scheduler may take until it runs; its startTimeout and a minute if undefined. */
  readonly within: number | undefined;
  readonly isDryRun: boolean;
}

/**
 * After it, the nodes of the service's pools run it as its file says, built, published and sealed anew as far as
 * that has changed. A node on which it doesn't start runs what it ran before, and no further node is changed
 * then; one that isn't reached is told of, and the others are done. What is done already is left alone.
 *
 * @throws Failure whatever would keep a node from starting it, before any is changed; else the first failure
 *   of a node
 */
export async function deploy(
  context: Context,
  path: string,
  options: DeployOptions,
): Promise<void> {
  const repository = await requireRepository(context.directory, context.configuration);
  const { configuration } = repository;
  const copyClosure = options.copyClosure || configuration.cache === "none";
  const way = chooseWay(repository, options.through);
  requireMeant(way, { nodes: options.nodes, copyClosure });
  await using opened = await openService(context, path, {
    isBuilt: options.build && !options.isDryRun,
  });
  const { storePaths } = opened;
  const service = await sealChanged(context, path, repository.directory, opened.service, options);
  const { name: unit, guard } = await guardThrough(context, service, way);
  const cluster = await openToSign(context);
  const { record: roster } = await readRoster(cluster);
  const targets = await chooseTargets(cluster, roster, service, options, configuration.hosts);
  const release = { service, unit, guard, storePaths, settle: options.settle };
  const bundles = await requireAllReady(cluster, release, targets);
  const isThere = await publishFor(context, configuration, storePaths, {
    ...options,
    copyClosure,
    isBuilt: options.build && typeof service.closure === "object",
  });
  const submission = await submissionOf(
    context,
    way,
    { cluster, release, targets },
    {
      atOnce: options.atOnce,
      within: options.within,
      copyClosure,
      // Where there is no source that the nodes read, what is sealed goes along.
      carriesSealed: configuration.source.startsWith("dir:"),
    },
  );
  const differences = (await submission.difference()).map((difference) =>
    // What comes only with the release can't be there yet.
    isThere ? difference : { ...difference, lack: undefined },
  );
  const file = basename(path);
  if (options.isDryRun) {
    await reportDifference(context, file, release, bundles, differences);
    return;
  }
  requireAllAble(unit, differences);
  await reportDeployed(context, file, release, bundles, await submission.submit());
}
