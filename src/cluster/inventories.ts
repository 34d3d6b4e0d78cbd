import { Failure } from "../failure.ts";
import { collectedFolder, collectedPath, nodeFolder, recordFile } from "../formats/paths.ts";
import {
  decodeInventory,
  maxInventorySize,
  maxPartSize,
  type Inventory,
} from "../formats/records/inventory.ts";
import { maxSignatureSize } from "../formats/sshsig/signature.ts";
import type { Source } from "../sources/source.ts";
import { judgeInventory, type InventoryPlace } from "../trust/inventory.ts";
import type { Marks } from "./marks.ts";
import { unpack, type Pieces } from "./packing.ts";

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
 * before it, and what is there already isn't written again.
 *
 * @returns the paths of what was written
 * @throws Failure `write/refused`, `source/…`
 */
export async function writeInventory(source: Source, made: MadeInventory): Promise<string[]> {
  const { node, bytes, signature, texts } = made;
  const present = new Set(await source.list(collectedFolder(node)));
  const parts = texts.flatMap(({ parts: some }) => [...some]);
  const written: string[] = [];
  for (const [hash, part] of parts) {
    if (present.has(hash)) continue;
    await source.write(collectedPath(node, hash), part);
    written.push(collectedPath(node, hash));
  }
  const folder = nodeFolder(node);
  for (const [name, object] of [
    [recordFile.inventory, bytes],
    [recordFile.inventorySignature, signature],
  ] as const) {
    await source.write(`${folder}/${name}`, object);
    written.push(`${folder}/${name}`);
  }
  await pruneCollected(source, node, decodeInventory(bytes));
  return written;
}

/** After it, the source has nothing of a node's earlier inventories. @throws Failure `write/refused` */
export async function pruneCollected(
  source: Source,
  node: string,
  { graph, uses }: Inventory,
): Promise<void> {
  const named = new Set([...graph.parts, ...uses.parts]);
  for (const name of await source.list(collectedFolder(node))) {
    if (!named.has(name)) await source.remove(`${collectedFolder(node)}/${name}`);
  }
}

/** What this node has written of itself, signed or not; undefined if it has none. @throws Failure `inventory/malformed` */
export async function readOwnInventory(
  source: Source,
  node: string,
): Promise<Inventory | undefined> {
  const bytes = await source.read(`${nodeFolder(node)}/${recordFile.inventory}`, maxInventorySize);
  return bytes === undefined ? undefined : decodeInventory(bytes);
}

/** What an inventory is made of, as it came. */
export interface InventoryTexts {
  /** As `nix-store --register-validity` reads it. */
  readonly graph: Uint8Array;
  /** JSON (formats/uses.ts), each time anew: only the compressed text is kept. */
  readonly uses: () => Uint8Array;
}

/**
 * The signed part of a node's inventory in the source, judged.
 *
 * @throws Failure `inventory/absent`; all that `judgeInventory` refuses; `mark/rolled-back` if it is
 *   older than what was seen
 */
export async function readInventoryRecord(
  source: Source,
  marks: Marks,
  place: InventoryPlace,
): Promise<Inventory> {
  const folder = nodeFolder(place.node);
  const bytes = await source.read(`${folder}/${recordFile.inventory}`, maxInventorySize);
  const path = `${folder}/${recordFile.inventorySignature}`;
  const signature = await source.read(path, maxSignatureSize);
  if (bytes === undefined || signature === undefined) {
    throw new Failure(
      "inventory/absent",
      `${source.name} has no inventory of ${place.node}, or none that is signed`,
    );
  }
  const record = judgeInventory(bytes, signature, place);
  await seeIt(marks, record, bytes);
  return record;
}

/** Its time counts as its number. */
async function seeIt(marks: Marks, { node, taken }: Inventory, bytes: Uint8Array): Promise<void> {
  const place = { series: 0, generation: Date.parse(taken) / 1000 };
  try {
    await marks.see(`${nodeFolder(node)}/inventory`, place, bytes);
  } catch (error) {
    if (!(error instanceof Failure) || !error.code.startsWith("mark/")) throw error;
    const why = error.code === "mark/rolled-back" ? "an older one than" : "another than";
    const what = `the inventory of ${node} is of ${taken}, ${why} was seen here`;
    throw new Failure(error.code, what, inventoryHint(node));
  }
}

const inventoryHint = (node: string): string =>
  `take it anew on ${node}: sealaunch inventory --host-key /etc/ssh/ssh_host_ed25519_key`;

/**
 * The texts that an inventory names.
 *
 * @throws Failure `inventory/malformed` if they are missing or others
 */
export async function readInventoryTexts(
  source: Source,
  record: Inventory,
): Promise<InventoryTexts> {
  const what = `the inventory of ${record.node}`;
  const read = (hash: string): Promise<Uint8Array | undefined> =>
    source.read(collectedPath(record.node, hash), maxPartSize);
  const { text: graph } = await unpack(record.graph, read, what);
  const { again: uses } = await unpack(record.uses, read, what);
  return { graph, uses };
}
