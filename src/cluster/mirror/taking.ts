import { Failure } from "../../failure.ts";
import { maxHeaderSize, parseDetachedHeader } from "../../formats/age/profile.ts";
import { checkEntryForm, maxEntrySize } from "../../formats/entry.ts";
import { nodeFolder, recordFile } from "../../formats/paths.ts";
import { maxCardSize } from "../../formats/records/card.ts";
import { maxSignatureSize } from "../../formats/sshsig/signature.ts";
import type { Source } from "../../sources/source.ts";
import type { VerifiedPool } from "../../trust/pool.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import { listBundles } from "../bundles.ts";
import { listNodeCards, readNodeCard, writeCard } from "../cards.ts";
import { readPool, readRoster, requireStatement, type Cluster } from "../cluster.ts";
import { expectedEntries } from "../owed.ts";
import { owedHeaders } from "../rewrapping.ts";
import { takeSaid } from "./taking-said.ts";

/**
 * Takes from elsewhere what nodes have written there: entries and headers that are owed here, well-formed,
 * cards that are newer, and what nodes whose cards are here say of themselves ({@link takeSaid}).
 * Nothing else is taken, whatever lies there, and nothing that is here changes but what is of a node.
 *
 * @param only - the node whose own objects are taken; those of all if undefined
 * @returns the paths of what was written
 * @throws Failure all that reading the cluster refuses; `write/refused`
 */
export async function takeWritten(
  cluster: Cluster,
  from: Source,
  only?: string,
): Promise<string[]> {
  const { record: roster } = await readRoster(cluster);
  const reads = await Promise.all(roster.pools.map(({ name }) => readPool(cluster, roster, name)));
  const pools = reads.flatMap((read) => (read === undefined ? [] : [read.record]));
  const wanted = [
    ...(await entriesWanted(cluster, roster, pools)),
    ...(await headersWanted(cluster, roster, pools)),
  ];
  const taken: string[] = [];
  for (const { path, maxBytes, judge } of wanted) {
    const bytes = await from.read(path, maxBytes);
    if (bytes === undefined || !isTaken(() => judge(bytes))) continue;
    await cluster.source.write(path, bytes);
    taken.push(path);
  }
  const cards = await takeCards(cluster.source, from);
  return [...taken, ...cards, ...(await takeSaid(cluster, pools, from, only))];
}

/** An object that is owed here. */
interface Wanted {
  readonly path: string;
  readonly maxBytes: number;
  /** Throws if it isn't what it should be, as far as it can be seen without an identity. */
  readonly judge: (bytes: Uint8Array) => unknown;
}

function isTaken(judge: () => unknown): boolean {
  try {
    judge();
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

async function entriesWanted(
  cluster: Cluster,
  roster: VerifiedRoster,
  pools: readonly VerifiedPool[],
): Promise<Wanted[]> {
  const all = await Promise.all(pools.map((pool) => expectedEntries(cluster, roster, pool)));
  return all
    .flat()
    .filter(({ owed }) => owed)
    .map(({ path }) => ({ path, maxBytes: maxEntrySize, judge: checkEntryForm }));
}

async function headersWanted(
  cluster: Cluster,
  roster: VerifiedRoster,
  pools: readonly VerifiedPool[],
): Promise<Wanted[]> {
  const wanted: Wanted[] = [];
  for (const bundle of await listBundles(cluster.source)) {
    const statement = await requireStatement(cluster, roster, bundle);
    const audience = pools.filter(({ pool }) => statement.audience.includes(pool));
    const needs = { statement, pools: audience, opened: [], all: false };
    for (const { path } of await owedHeaders(cluster.source, needs)) {
      wanted.push({ path, maxBytes: maxHeaderSize + 1, judge: parseDetachedHeader });
    }
  }
  return wanted;
}

async function takeCards(source: Source, from: Source): Promise<string[]> {
  const taken: string[] = [];
  for (const { card } of await listNodeCards(from)) {
    const own = await readNodeCard(source, card.node);
    if (own !== undefined && Date.parse(own.card.created) >= Date.parse(card.created)) continue;
    const folder = nodeFolder(card.node);
    const bytes = await from.read(`${folder}/${recordFile.card}`, maxCardSize);
    const signature = await from.read(`${folder}/${recordFile.cardSignature}`, maxSignatureSize);
    if (bytes === undefined || signature === undefined) continue;
    await writeCard(source, { node: card.node, bytes, signature });
    taken.push(folder);
  }
  return taken;
}
