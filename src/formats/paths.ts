import { recipientId, type Recipient } from "../crypto/recipient.ts";
import { signerKeyId, type SignerKey } from "./sshsig/public-key.ts";

// Where an object lies in a source (docs/bundle-format.md §3). Every part is a checked name, a
// number or hex digits. Objects that must appear together share a folder: what is signed, and its
// signatures, in one folder a generation, which appears whole or not at all.

export const rosterFolder = "roster";

/** `roster/GENERATION` */
export function rosterPath(generation: number): string {
  return `${rosterFolder}/${String(generation)}`;
}

/** `roster-pending/GENERATION`: a roster that too few root keys have signed yet */
export function pendingRosterPath(generation: number): string {
  return `roster-pending/${String(generation)}`;
}

const poolsFolder = "pools";

/** `pools/POOL` */
export function poolFolder(pool: string): string {
  return `${poolsFolder}/${pool}`;
}

/** `pools/POOL/GENERATION` */
export function poolPath(pool: string, generation: number): string {
  return `${poolFolder(pool)}/${String(generation)}`;
}

/** `pools/POOL/GENERATION/members.json` */
export function membersPath(pool: string, generation: number): string {
  return `${poolPath(pool, generation)}/${recordFile.members}`;
}

export const bundlesFolder = "bundles";

/** `bundles/NAME` */
export function bundleFolder(bundle: string): string {
  return `${bundlesFolder}/${bundle}`;
}

/** What has its generations in a folder, for people: `roster`, `pool file POOL`, `bundle NAME`. */
export function describeFolder(folder: string): string {
  return folder.replace(/^pools\//u, "pool file ").replace(/^bundles\//u, "bundle ");
}

/** `bundles/NAME/SERIES.GENERATION` */
export function statementPath(bundle: string, series: number, generation: number): string {
  return `${bundleFolder(bundle)}/${String(series)}.${String(generation)}`;
}

/** `bundles/NAME/values/SHA256` */
export function payloadPath(bundle: string, hash: string): string {
  return `${bundleFolder(bundle)}/values/${hash}`;
}

/** `headers/POOL` */
export function headersOf(pool: string): string {
  return `headers/${pool}`;
}

/** `headers/POOL/EPOCH` */
export function headersFolder(pool: string, epoch: number): string {
  return `${headersOf(pool)}/${String(epoch)}`;
}

/** `headers/POOL/EPOCH/NAME/SHA256` */
export function headerPath(pool: string, epoch: number, bundle: string, hash: string): string {
  return `${headersFolder(pool, epoch)}/${bundle}/${hash}`;
}

export const entriesRoot = "entries";

/** `entries/POOL` */
export function entriesOf(pool: string): string {
  return `${entriesRoot}/${pool}`;
}

/** `entries/POOL/EPOCH` */
export function entriesFolder(pool: string, epoch: number): string {
  return `${entriesOf(pool)}/${String(epoch)}`;
}

/** `entries/POOL/EPOCH/ID.age` */
export function entryPath(pool: string, epoch: number, recipient: Recipient): string {
  return `${entriesFolder(pool, epoch)}/${recipientId(recipient)}.age`;
}

export const nodesFolder = "nodes";

/** `nodes/NODE` */
export function nodeFolder(node: string): string {
  return `${nodesFolder}/${node}`;
}

/** `nodes/NODE/inventory.json` */
export function inventoryPath(node: string): string {
  return `${nodeFolder(node)}/inventory.json`;
}

/** `nodes/NODE/collected`: what the node's inventory is made of */
export function collectedFolder(node: string): string {
  return `${nodeFolder(node)}/collected`;
}

/** `nodes/NODE/collected/SHA256` */
export function collectedPath(node: string, hash: string): string {
  return `${collectedFolder(node)}/${hash}`;
}

/** `nodes/NODE/collected/SHA256.sig`: the signature of the inventory that has that hash */
export function inventorySignaturePath(node: string, hash: string): string {
  return `${collectedPath(node, hash)}.sig`;
}

/** `signatures/ID.sig`, within the folder of what is signed */
export function signatureFile(signer: SignerKey): string {
  return `signatures/${signerKeyId(signer)}.sig`;
}

/** The names of the signed objects within their folders. */
export const recordFile = {
  roster: "roster.json",
  pool: "pool.json",
  members: "members.json",
  statement: "statement.json",
  card: "card.json",
  cardSignature: "card.json.sig",
  report: "report.json",
  reportSignature: "report.json.sig",
} as const;
