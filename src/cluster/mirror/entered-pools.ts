import { recipientId, type Recipient } from "../../crypto/recipient.ts";
import { Failure } from "../../failure.ts";
import {
  decodeEntered,
  encodeEntered,
  maxEnteredSize,
  type Entered,
} from "../../formats/entered.ts";
import { nameKinds } from "../../formats/names.ts";
import { entriesRoot } from "../../formats/paths.ts";
import { readRegularFile, writeFileAtomic } from "../../host/files.ts";
import type { Source } from "../../sources/source.ts";

/**
 * The pools in which the source has ever shown an entry of one of the recipients, so that a node doesn't
 * look into all others; undefined if the source can't tell what is new in it. Whether the node is a member,
 * a pool's file and its entries say.
 *
 * @param state - the file in which it is remembered what the source has shown
 * @throws Failure `source/…`; `write/refused`
 */
export async function enteredPools(
  source: Source,
  recipients: readonly Recipient[],
  state: string,
): Promise<readonly string[] | undefined> {
  if (source.changedSince === undefined) return undefined;
  const ids = recipients.map(recipientId).toSorted();
  const before = await recall(state);
  const isSame = before?.source === source.name && before.recipients.join() === ids.join();
  const poolOf = (path: string): string | undefined => {
    const [, pool, id = ""] = /^entries\/(.+)\/[0-9]+\/([0-9a-f]{32})\.age$/u.exec(path) ?? [];
    return pool !== undefined && nameKinds.pool.is(pool) && ids.includes(id) ? pool : undefined;
  };
  // A member of any pool may write entries: what others put there is passed over, however much it is.
  const { paths, until } = await source.changedSince(
    entriesRoot,
    isSame ? before.until : undefined,
    (path) => poolOf(path) !== undefined,
  );
  const found = paths.flatMap((path) => poolOf(path) ?? []);
  const pools = [...new Set([...(isSame ? before.pools : []), ...found])].toSorted();
  const entered = { version: 1, source: source.name, recipients: ids, until, pools } as const;
  if (!isSame || until !== before.until) {
    await writeFileAtomic(state, encodeEntered(entered), 0o600);
  }
  return pools;
}

/** What was remembered; undefined if it is nothing that can be gone by. */
async function recall(state: string): Promise<Entered | undefined> {
  try {
    const bytes = await readRegularFile(state, maxEnteredSize);
    return bytes && decodeEntered(bytes, state);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
