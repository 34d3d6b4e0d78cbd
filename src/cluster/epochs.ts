import { wipe } from "../crypto/bytes.ts";
import { createIdentity } from "../crypto/identity.ts";
import type { Recipient } from "../crypto/recipient.ts";
import { sealEntry } from "../formats/entry.ts";
import { entryPath } from "../formats/paths.ts";
import type { Pool } from "../formats/records/pool.ts";
import type { Source } from "../sources/source.ts";

/** An epoch that nothing names yet. */
export interface NewEpoch {
  /** What the pool file will say of it. */
  readonly current: Pool["current"];
  /** Where its entries lie. */
  readonly entries: readonly string[];
}

/**
 * After it, everybody in `recipients` has an entry in the source for a new identity of the pool,
 * which nobody else has: it was made in memory, and is forgotten.
 *
 * @throws Failure `write/refused`, `recipient/malformed`
 */
export async function beginEpoch(
  source: Source,
  pool: string,
  epoch: number,
  recipients: readonly Recipient[],
): Promise<NewEpoch> {
  const identity = createIdentity();
  const entries: string[] = [];
  try {
    for (const recipient of new Set(recipients)) {
      const path = entryPath(pool, epoch, recipient);
      await source.write(path, sealEntry(identity, recipient));
      entries.push(path);
    }
    return { current: { epoch, recipient: identity.recipient }, entries };
  } finally {
    wipe(identity.seed);
  }
}
