import { Failure } from "../failure.ts";
import { decodeInventory, type Inventory } from "../formats/records/inventory.ts";
import { fingerprint, type SignerKey } from "../formats/sshsig/public-key.ts";
import { parseSignature, verifySignature } from "../formats/sshsig/signature.ts";

/** Whose an inventory has to be. */
export interface InventoryPlace {
  readonly cluster: string;
  readonly node: string;
  /** As the pool's member list has it. */
  readonly hostKey: SignerKey;
}

/**
 * The inventory in `bytes`, which that node itself has made: nobody else has its host key.
 *
 * @throws Failure `signature/…`, `ssh-key/unsupported`, `inventory/malformed`; `inventory/foreign` if
 *   another key signed it, or it is about another node or cluster
 */
export function judgeInventory(
  bytes: Uint8Array,
  signature: Uint8Array,
  { cluster, node, hostKey }: InventoryPlace,
): Inventory {
  const signer = verifySignature(parseSignature(signature), bytes, "inventory");
  if (signer !== hostKey) {
    throw new Failure(
      "inventory/foreign",
      `the inventory of ${node} is signed by ${fingerprint(signer)}, and its host key is ${fingerprint(hostKey)}`,
    );
  }
  const inventory = decodeInventory(bytes);
  if (inventory.cluster === cluster && inventory.node === node) return inventory;
  throw new Failure(
    "inventory/foreign",
    `the inventory of ${node} says that it is of ${inventory.node} in cluster ${inventory.cluster}`,
  );
}
