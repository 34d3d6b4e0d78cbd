import type { Cluster } from "../cluster/cluster.ts";
import { openRepository, requireRepository } from "../cluster/configuration.ts";
import type { Context } from "./context.ts";

/** The cluster of the checkout in which the command runs. @throws Failure `configuration/…` */
export async function openHere(context: Context): Promise<Cluster> {
  const repository = await requireRepository(context.directory, context.configuration);
  return openRepository(repository, context.now);
}
