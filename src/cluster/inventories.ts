import { equalBytes, hex } from "../crypto/bytes.ts";
import { sha256 } from "../crypto/digest.ts";
import { Failure } from "../failure.ts";
import {
  collectedPath,
  inventoryPath,
  inventorySignaturePath,
  nodeFolder,
} from "../formats/paths.ts";
import { maxInventorySize, maxPartSize, type Inventory } from "../formats/records/inventory.ts";
import { maxSignatureSize } from "../formats/sshsig/signature.ts";
import type { Source } from "../sources/source.ts";
import { judgeInventory, type InventoryPlace } from "../trust/inventory.ts";
import type { Marks } from "./marks.ts";
import { unpack } from "./packing.ts";

/** An inventory as it lies there, not judged. */
export interface FoundInventory {
  readonly bytes: Uint8Array;
  /** Of these bytes; undefined if none is there. */
  readonly signature: Uint8Array | undefined;
}

/** The inventory of a node as it lies there; undefined if there is none. */
export async function findInventory(
  source: Source,
  node: string,
): Promise<FoundInventory | undefined> {
  const bytes = await source.read(inventoryPath(node), maxInventorySize);
  if (bytes === undefined) return undefined;
  const path = inventorySignaturePath(node, hex(sha256(bytes)));
  return { bytes, signature: await source.read(path, maxSignatureSize) };
}

/**
 * What an inventory is made of, as it came; each time anew, since only the compressed text is kept.
 * Throws Failure `inventory/malformed` if it isn't what the inventory names.
 */
export interface InventoryTexts {
  /** As `nix-store --register-validity` reads it. */
  readonly graph: () => Uint8Array;
  /** JSON (formats/uses.ts). */
  readonly uses: () => Uint8Array;
}

/** How often a node may put another inventory there while one is read. */
const attempts = 3;

/**
 * A node's inventory in the source, judged, with all that it names.
 *
 * @throws Failure `inventory/absent`; all that `judgeInventory` refuses; `mark/rolled-back` if it is
 *   older than what was seen; `inventory/malformed` if a piece of what it names is missing or another
 */
export async function readInventory(
  source: Source,
  marks: Marks,
  place: InventoryPlace,
): Promise<InventoryTexts & { readonly record: Inventory }> {
  for (let attempt = 1; ; attempt++) {
    const found = await findInventory(source, place.node);
    try {
      const { bytes, signature } = requireSigned(found, source, place.node);
      const record = judgeInventory(bytes, signature, place);
      await seeIt(marks, record, bytes);
      return { record, ...(await readTexts(source, record)) };
    } catch (error) {
      // The next one takes away what this one names.
      const now = await source.read(inventoryPath(place.node), maxInventorySize);
      const isSame =
        now === undefined ? found === undefined : equalBytes(now, found?.bytes ?? none);
      if (isSame || attempt === attempts) throw error;
    }
  }
}

const none = new Uint8Array();

function requireSigned(
  found: FoundInventory | undefined,
  source: Source,
  node: string,
): { readonly bytes: Uint8Array; readonly signature: Uint8Array } {
  if (found === undefined)
    throw new Failure("inventory/absent", `${source.name} has no inventory of ${node}`);
  const { bytes, signature } = found;
  if (signature !== undefined) return { bytes, signature };
  throw new Failure(
    "signature/invalid",
    `${source.name} has no signature of the inventory of ${node} as it is: it was altered, or never signed`,
    inventoryHint(node),
  );
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

async function readTexts(source: Source, record: Inventory): Promise<InventoryTexts> {
  const what = `the inventory of ${record.node}`;
  const read = (hash: string): Promise<Uint8Array | undefined> =>
    source.read(collectedPath(record.node, hash), maxPartSize);
  return {
    graph: await unpack(record.graph, read, what),
    uses: await unpack(record.uses, read, what),
  };
}
