import { hex } from "../crypto/bytes.ts";
import { sha256 } from "../crypto/digest.ts";
import {
  collectedFolder,
  collectedPath,
  inventoryPath,
  inventorySignaturePath,
} from "../formats/paths.ts";
import { decodeInventory } from "../formats/records/inventory.ts";
import type { Source } from "../sources/source.ts";
import type { Pieces } from "./packing.ts";

/** What is written for an inventory. */
export interface MadeInventory {
  readonly node: string;
  readonly bytes: Uint8Array;
  /** Armoured. */
  readonly signature: Uint8Array;
  readonly texts: readonly Pieces[];
}

/**
 * After it, the inventory is in the source, and nothing of an earlier one. What it is made of is there
 * before it, with its signature, and what is there already isn't written again: at no moment is an inventory
 * there without its signature.
 *
 * @returns the paths of what was written
 * @throws Failure `write/refused`, `source/…`
 */
export async function writeInventory(source: Source, made: MadeInventory): Promise<string[]> {
  const { node, bytes, signature, texts } = made;
  const present = new Set(await source.list(collectedFolder(node)));
  const parts = texts.flatMap(({ parts: some }) => [...some]);
  const written: string[] = [];
  const write = async (path: string, object: Uint8Array): Promise<void> => {
    await source.write(path, object);
    written.push(path);
  };
  for (const [hash, part] of parts) {
    if (!present.has(hash)) await write(collectedPath(node, hash), part);
  }
  await write(inventorySignaturePath(node, hex(sha256(bytes))), signature);
  await write(inventoryPath(node), bytes);
  await pruneCollected(source, node, bytes);
  return written;
}

/**
 * After it, the source has nothing of a node's earlier inventories than the one in `bytes`.
 *
 * @throws Failure `inventory/malformed`, `write/refused`
 */
export async function pruneCollected(
  source: Source,
  node: string,
  bytes: Uint8Array,
): Promise<void> {
  const { graph, uses } = decodeInventory(bytes);
  const signature = inventorySignaturePath(node, hex(sha256(bytes)));
  const named = [...graph.parts, ...uses.parts].map((part) => collectedPath(node, part));
  const kept = new Set([...named, signature]);
  for (const name of await source.list(collectedFolder(node))) {
    const path = `${collectedFolder(node)}/${name}`;
    if (!kept.has(path)) await source.remove(path);
  }
}
