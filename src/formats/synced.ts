import * as z from "zod/mini";
import { utf8 } from "../crypto/bytes.ts";
import { decodeConfiguration } from "./canonical.ts";
import { clusterField, timeField } from "./fields.ts";

/** Where it lies in a mirror: beside the objects, and in no source. */
export const syncedPath = "synced";

export const maxSyncedSize = 4096;

/** What `sync` says of its last pass. Nobody has signed it: it is for telling people, and decides nothing. */
const Synced = z.strictObject({
  version: z.literal(1),
  cluster: clusterField,
  /** When the source was last read, and its roster found good. */
  at: timeField,
  source: z.string(),
});
export type Synced = z.infer<typeof Synced>;

export function encodeSynced(synced: Synced): Uint8Array {
  return utf8(`${JSON.stringify(synced)}\n`);
}

/** @throws Failure `source/hostile` */
export function decodeSynced(bytes: Uint8Array, what: string): Synced {
  return decodeConfiguration(bytes, Synced, what, "source/hostile");
}
