import { equalBytes } from "../../crypto/bytes.ts";
import { Failure } from "../../failure.ts";
import { nameKinds } from "../../formats/names.ts";
import {
  collectedFolder,
  inventoryPath,
  nodeFolder,
  nodesFolder,
  recordFile,
} from "../../formats/paths.ts";
import { maxReportSize } from "../../formats/records/report.ts";
import { maxSignatureSize } from "../../formats/sshsig/signature.ts";
import type { Source } from "../../sources/source.ts";
import { judgeInventory, type InventoryPlace } from "../../trust/inventory.ts";
import type { VerifiedPool } from "../../trust/pool.ts";
import { judgeReport } from "../../trust/report.ts";
import { readNodeCard } from "../cards.ts";
import { readMembers, type Cluster } from "../cluster.ts";
import { findInventory, type FoundInventory } from "../inventories.ts";
import { pruneCollected } from "../inventory-writing.ts";
import { maxNodeObjectSize } from "./outbox.ts";

/**
 * Takes from elsewhere what nodes whose cards are here say of themselves. An inventory or a report is taken
 * if the node has signed it, and later than the one that is here: who carries it may come late, or may have
 * put another's there. All else who reads it judges.
 *
 * @param only - the node whose own objects are taken; those of all if undefined
 * @returns the paths of what was written
 * @throws Failure `pool/…` of the member lists; `source/…`, `write/refused`
 */
export async function takeSaid(
  { source, trusted }: Cluster,
  pools: readonly VerifiedPool[],
  from: Source,
  only: string | undefined,
): Promise<string[]> {
  const lists = await Promise.all(pools.map((pool) => readMembers(source, pool)));
  const hostKeys = new Map(
    lists.flatMap(({ members }) => members.map(({ node, hostKey }) => [node, hostKey] as const)),
  );
  const taken: string[] = [];
  const nodes = only === undefined ? await from.list(nodesFolder) : [only];
  for (const node of nodes.filter((name) => nameKinds.node.is(name))) {
    const card = await readNodeCard(source, node);
    if (card === undefined) continue;
    const place = { cluster: trusted.cluster, node, hostKey: hostKeys.get(node) ?? card.hostKey };
    const left: string[] = [];
    for (const kind of kinds) {
      if (!(await isNews(kind, source, from, place))) left.push(...kind.prefixes(node));
    }
    taken.push(...(await takeOf(source, from, node, left)));
  }
  return taken;
}

/** What a node signs of itself. */
interface Kind {
  /** Undefined if it isn't there. */
  readonly find: (source: Source, node: string) => Promise<FoundInventory | undefined>;
  /** What its objects' paths begin with. */
  readonly prefixes: (node: string) => readonly string[];
  /** When it was made. @throws Failure unless the node has signed it */
  readonly timeOf: (bytes: Uint8Array, signature: Uint8Array, place: InventoryPlace) => string;
}

const kinds: readonly Kind[] = [
  {
    find: findInventory,
    prefixes: (node) => [inventoryPath(node), `${collectedFolder(node)}/`],
    timeOf: (...made) => judgeInventory(...made).taken,
  },
  {
    find: async (source, node) => {
      const folder = nodeFolder(node);
      const bytes = await source.read(`${folder}/${recordFile.report}`, maxReportSize);
      const path = `${folder}/${recordFile.reportSignature}`;
      const signature = await source.read(path, maxSignatureSize);
      return bytes && { bytes, signature };
    },
    prefixes: (node) => [`${nodeFolder(node)}/${recordFile.report}`],
    timeOf: (...made) => judgeReport(...made).issued,
  },
];

/** Whether there is one that the node has made, and none here that it has made as late. */
async function isNews(
  kind: Kind,
  source: Source,
  from: Source,
  place: InventoryPlace,
): Promise<boolean> {
  const [here, there] = [await madeAt(kind, source, place), await madeAt(kind, from, place)];
  return there !== undefined && (here === undefined || there > here);
}

/** In milliseconds of the epoch; undefined if there is none that the node has made. */
async function madeAt(
  { find, timeOf }: Kind,
  source: Source,
  place: InventoryPlace,
): Promise<number | undefined> {
  try {
    const found = await find(source, place.node);
    return found?.signature && Date.parse(timeOf(found.bytes, found.signature, place));
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}

/** @param left - what begins the paths of what stays where it is */
async function takeOf(
  source: Source,
  from: Source,
  node: string,
  left: readonly string[],
): Promise<string[]> {
  const taken: string[] = [];
  const inventory = inventoryPath(node);
  for (const path of await objectsOf(from, node)) {
    if (left.some((begin) => path.startsWith(begin))) continue;
    const bytes = await from.read(path, maxNodeObjectSize);
    const before = await source.read(path, maxNodeObjectSize).catch(() => undefined);
    if (bytes === undefined || (before !== undefined && equalBytes(before, bytes))) continue;
    await source.write(path, bytes);
    taken.push(path);
    // It was judged, or it would have been left.
    if (path === inventory) await pruneCollected(source, node, bytes);
  }
  return taken;
}

/**
 * Where a node's inventory and report are, under the names that the format has and no others: whoever carries
 * them could else have any file put into a checkout, or taken there by a link. What an inventory names comes
 * before it.
 */
async function objectsOf(from: Source, node: string): Promise<string[]> {
  const collected = collectedFolder(node);
  const parts = (await from.list(collected)).filter((name) => isPart.test(name)).toSorted();
  const folder = nodeFolder(node);
  return [
    ...parts.map((name) => `${collected}/${name}`),
    inventoryPath(node),
    `${folder}/${recordFile.report}`,
    `${folder}/${recordFile.reportSignature}`,
  ];
}

/** A part of an inventory, or an inventory's signature. */
const isPart = /^[0-9a-f]{64}(?:\.sig)?$/u;
