import { Failure } from "../failure.ts";
import { decodeReport, type Report } from "../formats/records/report.ts";
import { fingerprint } from "../formats/sshsig/public-key.ts";
import { parseSignature, verifySignature } from "../formats/sshsig/signature.ts";
import type { InventoryPlace } from "./inventory.ts";

/**
 * The report in `bytes`, which that node itself has made: nobody else has its host key.
 *
 * @throws Failure `signature/…`, `ssh-key/unsupported`, `inventory/malformed`; `inventory/foreign` if
 *   another key signed it, or it is of another node or cluster
 */
export function judgeReport(
  bytes: Uint8Array,
  signature: Uint8Array,
  { cluster, node, hostKey }: InventoryPlace,
): Report {
  const signer = verifySignature(parseSignature(signature), bytes, "inventory");
  if (signer !== hostKey) {
    throw new Failure(
      "inventory/foreign",
      `the report of ${node} is signed by ${fingerprint(signer)}, and its host key is ${fingerprint(hostKey)}`,
    );
  }
  const report = decodeReport(bytes);
  if (report.cluster === cluster && report.node === node) return report;
  throw new Failure(
    "inventory/foreign",
    `the report of ${node} says that it is of ${report.node} in cluster ${report.cluster}`,
  );
}
