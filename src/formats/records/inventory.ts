import * as z from "zod/mini";
import { decodeRecord, encodeRecord } from "../canonical.ts";
import { clusterField, countField, hashField, nameField, timeField } from "../fields.ts";

/** One text of an inventory, compressed (Zstandard, RFC 8878) and cut into objects that a source takes. */
const Packed = z.strictObject({
  /** Of the text. */
  hash: hashField,
  /** Of the text, in bytes. */
  size: countField(0),
  /** SHA-256 of each object, in their order. */
  parts: z.array(hashField).check(z.maxLength(64)),
});
export type Packed = z.infer<typeof Packed>;

/** What a node's store has and what uses it, signed by the node's SSH host key (docs/bundle-format.md §7.5). */
const Inventory = z.strictObject({
  type: z.literal("inventory"),
  version: z.literal(1),
  cluster: clusterField,
  node: nameField("node"),
  taken: timeField,
  paths: countField(0),
  graph: Packed,
  uses: Packed,
});
export type Inventory = z.infer<typeof Inventory>;

/** An inventory's signed part is at most this many bytes. */
export const maxInventorySize = 16 * 1024;
/** Each of its objects: half of what etcd takes at once. */
export const maxPartSize = 512 * 1024;
/** Each of its texts. */
export const maxTextSize = 256 * 1024 * 1024;

/** The bytes that the host key signs. */
export function encodeInventory(inventory: Inventory): Uint8Array {
  return encodeRecord(inventory);
}

/** @throws Failure `inventory/malformed` */
export function decodeInventory(bytes: Uint8Array): Inventory {
  return decodeRecord(bytes, Inventory, "inventory/malformed", "inventory", maxInventorySize);
}
