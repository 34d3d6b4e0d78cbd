import { wipe } from "../crypto/bytes.ts";
import { createIdentity } from "../crypto/identity.ts";
import { recipientId, type Recipient } from "../crypto/recipient.ts";
import { sealEntry } from "../formats/entry.ts";
import { entriesFolder, entriesOf, headersOf } from "../formats/paths.ts";
import type { Pool } from "../formats/records/pool.ts";
import type { Source } from "../sources/source.ts";
import type { Each } from "./each.ts";
import { generationsIn, newestGeneration } from "./generations.ts";

/** An epoch that nothing names yet. */
export interface NewEpoch {
  /** What the pool file will say of it. */
  readonly current: Pool["current"];
  /** Where its entries lie. */
  readonly entries: string;
}

/**
 * After it, everybody in `recipients` has an entry in the source for a new identity of the pool,
 * which nobody else has: it was made in memory, and is forgotten. The epoch has a number that no
 * other has, also where two managers begin one at once or somebody was stopped before.
 *
 * @param last - the pool's epoch until now; 0 if this is its first
 * @throws Failure `write/refused`, `recipient/malformed`
 */
export async function beginEpoch(
  source: Source,
  pool: string,
  last: number,
  recipients: readonly Recipient[],
  each: Each,
): Promise<NewEpoch> {
  const identity = createIdentity();
  const { recipient } = identity;
  const files = new Map<string, Uint8Array>();
  try {
    await each("entry", [...new Set(recipients)], (reader) => {
      files.set(`${recipientId(reader)}.age`, sealEntry(identity, reader));
      return Promise.resolve();
    });
  } finally {
    wipe(identity.seed);
  }
  const known = (await newestGeneration(source, entriesOf(pool))) ?? 0;
  for (let epoch = Math.max(last, known) + 1; ; epoch++) {
    const entries = entriesFolder(pool, epoch);
    // The folder appears whole or not at all, and never over somebody else's.
    if (await source.publish(entries, files)) return { current: { epoch, recipient }, entries };
  }
}

/** What is left of epochs that came before a pool's current one: its folders of entries and headers. */
export async function pastEpochs(source: Source, pool: string, current: number): Promise<string[]> {
  const folders = [headersOf(pool), entriesOf(pool)];
  const found = await Promise.all(
    folders.map(async (folder) =>
      (await generationsIn(source, folder))
        .filter((epoch) => epoch < current)
        .map((epoch) => `${folder}/${String(epoch)}`),
    ),
  );
  return found.flat();
}
