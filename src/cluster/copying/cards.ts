import { nameKinds } from "../../formats/names.ts";
import { nodeFolder, nodesFolder, recordFile } from "../../formats/paths.ts";
import { maxCardSize } from "../../formats/records/card.ts";
import { maxSignatureSize } from "../../formats/sshsig/signature.ts";
import { readNodeCard } from "../cards.ts";
import type { Each } from "../each.ts";
import { notCarried, objectStep, readPlain, type Step, type Way } from "./objects.ts";

/** What brings cards there, and a line on each of those that isn't whole where it is. */
export interface CardsCopy {
  readonly steps: readonly Step[];
  readonly gaps: readonly string[];
}

const files = [
  [recordFile.card, maxCardSize],
  [recordFile.cardSignature, maxSignatureSize],
] as const;

/** Of the nodes that have no card there, or none that is whole. One that is there stays: it may be newer. */
export async function planCards(way: Way, each: Each): Promise<CardsCopy> {
  const nodes = (await way.from.list(nodesFolder)).filter((name) => nameKinds.node.is(name));
  const copies = await each("card", nodes.sort(), (node) => planCard(way, node));
  return {
    steps: copies.flatMap(({ steps }) => steps),
    gaps: copies.flatMap(({ gaps }) => gaps),
  };
}

async function planCard(way: Way, node: string): Promise<CardsCopy> {
  if ((await readNodeCard(way.to, node)) !== undefined) return { steps: [], gaps: [] };
  const place = nodeFolder(node);
  if ((await readNodeCard(way.from, node)) !== undefined) {
    const steps = files.map(([file, maxBytes]) =>
      objectStep(way, { path: `${place}/${file}`, maxBytes, judge: () => undefined }),
    );
    return { steps, gaps: [] };
  }
  const there = await readPlain(way.from, `${place}/${recordFile.card}`, maxCardSize);
  return {
    steps: [],
    gaps: there === undefined ? [] : [`the card of ${node} isn't whole; ${notCarried}`],
  };
}
