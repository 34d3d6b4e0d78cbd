import type { Cluster } from "../../cluster/cluster.ts";
import type { Located } from "../../cluster/configuration.ts";
import { mirrorAgeFailure, readSynced } from "../../cluster/mirror/age.ts";
import type { NodeConfiguration } from "../../formats/configuration.ts";
import type { Context } from "../context.ts";

/** Says how old the mirror is that starts read; null where they read the source. */
export async function reportMirror(
  context: Context,
  { configuration }: Located<NodeConfiguration>,
  { source, now }: Cluster,
): Promise<unknown> {
  const { mirror } = configuration;
  if (mirror === undefined) return null;
  const synced = await readSynced(source, configuration);
  const old = mirrorAgeFailure(configuration, synced, now);
  if (old !== undefined) context.warn(old.message);
  if (synced !== undefined) context.print(`${mirror} is ${synced.source} as of ${synced.at}`);
  return { directory: mirror, source: synced?.source ?? null, at: synced?.at ?? null };
}
