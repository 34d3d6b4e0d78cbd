import { join } from "node:path";
import { Failure } from "../failure.ts";
import { nameKinds } from "../formats/names.ts";
import { nodeFolder, nodesFolder, recordFile } from "../formats/paths.ts";
import { maxCardSize } from "../formats/records/card.ts";
import { maxSignatureSize } from "../formats/sshsig/signature.ts";
import { readRegularFile } from "../host/files.ts";
import type { Source } from "../sources/source.ts";
import { judgeCard, type SignedCard } from "../trust/card.ts";

/** A card with the bytes that it and its signature have. */
export interface FoundCard extends SignedCard {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Armoured. */
  readonly signature: Uint8Array;
}

/**
 * The card at `path`, its signature checked.
 *
 * @param path - a card with its signature beside it, or the directory in which both lie
 * @throws Failure `card/malformed` if it isn't there; all that `judgeCard` refuses
 */
export async function readCard(path: string): Promise<FoundCard> {
  const inside = join(path, recordFile.card);
  const whole = await readRegularFile(inside, maxCardSize);
  const file = whole === undefined ? path : inside;
  const bytes = whole ?? (await readRegularFile(file, maxCardSize));
  if (bytes === undefined) throw new Failure("card/malformed", `there is no card at ${path}`);
  const signature = await readRegularFile(`${file}.sig`, maxSignatureSize);
  if (signature === undefined) {
    throw new Failure(
      "card/malformed",
      `there is no signature at ${file}.sig`,
      "copy card.json and card.json.sig from the node, side by side",
    );
  }
  return { path: file, bytes, signature, ...judgeCard(bytes, signature) };
}

/** As {@link readCard}, of one that lies elsewhere. @param place - for messages */
export function foundCard(bytes: Uint8Array, signature: Uint8Array, place: string): FoundCard {
  return { path: place, bytes, signature, ...judgeCard(bytes, signature) };
}

/**
 * The card of a node in the source, its signature checked; undefined if there is none, or none that
 * is whole and signed: anybody who can write to the source may have put it there.
 *
 * @throws Failure `source/…` if the source can't be read
 */
export async function readNodeCard(source: Source, node: string): Promise<SignedCard | undefined> {
  const folder = nodeFolder(node);
  try {
    const bytes = await source.read(`${folder}/${recordFile.card}`, maxCardSize);
    const path = `${folder}/${recordFile.cardSignature}`;
    const signature = bytes && (await source.read(path, maxSignatureSize));
    if (bytes === undefined || signature === undefined) return undefined;
    const signed = judgeCard(bytes, signature);
    return signed.card.node === node ? signed : undefined;
  } catch (error) {
    // A source that doesn't answer says nothing of its cards.
    const isRead =
      error instanceof Failure &&
      (error.code === "source/hostile" || !error.code.startsWith("source/"));
    if (isRead) return undefined;
    throw error;
  }
}

/**
 * The cards in the source, in the order of their nodes' names, as {@link readNodeCard} takes them.
 *
 * @throws Failure `source/…` if the source can't be read
 */
export async function listNodeCards(source: Source): Promise<SignedCard[]> {
  const names = (await source.list(nodesFolder)).filter((name) => nameKinds.node.is(name)).sort();
  const cards = await Promise.all(names.map((name) => readNodeCard(source, name)));
  return cards.filter((card) => card !== undefined);
}

/**
 * After it, the card is in the source, for whoever enrols the node in another pool.
 *
 * @returns where
 * @throws Failure `write/refused`
 */
export async function writeCard(
  source: Source,
  { node, bytes, signature }: { node: string } & Pick<FoundCard, "bytes" | "signature">,
): Promise<string> {
  const folder = nodeFolder(node);
  await source.write(`${folder}/${recordFile.card}`, bytes);
  await source.write(`${folder}/${recordFile.cardSignature}`, signature);
  return folder;
}
