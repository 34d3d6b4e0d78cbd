import type { Cluster } from "../cluster/cluster.ts";
import { openRepository, requireRepository, type Located } from "../cluster/configuration.ts";
import { openUserMarks } from "../cluster/user-marks.ts";
import type { RepositoryConfiguration } from "../formats/configuration.ts";
import type { Context } from "./context.ts";

/** The cluster of the checkout in which the command runs. @throws Failure `configuration/…` */
export async function openHere(context: Context): Promise<Cluster> {
  const repository = await requireRepository(context.directory, context.configuration);
  return openRepository(repository, context.now);
}

/**
 * The repository in which the command runs, as if it were configured with another source.
 *
 * @param source - as configurations name it, relative to where the command runs; undefined for the configured one
 * @throws Failure `configuration/…`
 */
export async function requireRepositoryWith(
  context: Context,
  source: string | undefined,
): Promise<Located<RepositoryConfiguration>> {
  const repository = await requireRepository(context.directory, context.configuration);
  if (source === undefined) return repository;
  const configuration = { ...repository.configuration, source };
  return { ...repository, directory: context.directory, configuration };
}

/** As {@link openHere}, for a command that seals or signs by what it reads: with the user's marks. */
export async function openToSign(context: Context): Promise<Cluster> {
  const repository = await requireRepository(context.directory, context.configuration);
  return openWithMarks(context, repository);
}

/**
 * The cluster of a checkout, with the user's marks.
 *
 * @param onlyWarns - of what is older than they are; else it is refused
 * @throws Failure `configuration/…`
 */
export function openWithMarks(
  context: Context,
  repository: Located<RepositoryConfiguration>,
  onlyWarns = false,
): Promise<Cluster> {
  const marks = openUserMarks(repository.configuration.cluster, context, onlyWarns);
  return openRepository(repository, context.now, marks);
}
