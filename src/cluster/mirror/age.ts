import { Failure } from "../../failure.ts";
import type { NodeConfiguration } from "../../formats/configuration.ts";
import { decodeSynced, maxSyncedSize, syncedPath, type Synced } from "../../formats/synced.ts";
import type { Source } from "../../sources/source.ts";

/** Older than this, whoever looks is told. Sync passes every minute or so, and a source may be away for a while. */
const oldAfterMs = 3_600_000;

/**
 * What sync says of its last pass; undefined where the node keeps no mirror, or it says nothing that can be
 * understood: nothing depends on it.
 */
export async function readSynced(
  source: Source,
  { mirror }: NodeConfiguration,
): Promise<Synced | undefined> {
  if (mirror === undefined) return undefined;
  try {
    const bytes = await source.read(syncedPath, maxSyncedSize);
    return bytes && decodeSynced(bytes, `${mirror}: ${syncedPath}`);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** What is to be said of a mirror that sync hasn't brought up to date for an hour; undefined if it has. */
export function mirrorAgeFailure(
  { mirror = "" }: NodeConfiguration,
  synced: Synced | undefined,
  now: Date,
): Failure | undefined {
  if (synced === undefined) return new Failure("mirror/old", `sync has never filled ${mirror}`);
  if (now.getTime() - Date.parse(synced.at) <= oldAfterMs) return undefined;
  return new Failure("mirror/old", `sync has last read ${synced.source} at ${synced.at}`);
}
