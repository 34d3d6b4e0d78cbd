import { Failure } from "../failure.ts";
import type { Members } from "./etcd.ts";
import type { KeyRange } from "./etcd-keys.ts";

/** Some keys of a range, in rising order, as of a state of etcd. */
export interface KeyPage {
  readonly found: readonly Buffer[];
  readonly cluster: string;
  readonly revision: string;
}

/** How a range is read. */
export interface Reading {
  /** Names in messages what is to be done. */
  readonly what: string;
  /** How many keys are asked for at once, at most. */
  readonly pageSize: number;
  /** Only what was written then or later. */
  readonly minRevision?: bigint;
  /** Where to go on after the last key of a page; it comes after that key. */
  readonly after: (last: Buffer) => Buffer;
}

/**
 * The keys of a range by the page, so that no more of them than that are in memory at once. A page that is
 * larger than any answer that is taken, for the length of its keys, is read in smaller ones.
 *
 * @throws Failure `source/…`; `source/hostile` where what is said isn't what was asked for
 */
export async function* readPages(
  members: Members,
  { key, range_end }: KeyRange,
  { what, pageSize, minRevision = 0n, after }: Reading,
): AsyncGenerator<KeyPage> {
  let limit = pageSize;
  for (let from = key; Buffer.compare(from, range_end) < 0;) {
    const range = { key: from, range_end, limit, keys_only: true };
    let page;
    try {
      page = await members.ask(what, ({ client, options }) =>
        client.kv.range({ ...range, min_mod_revision: String(minRevision) }, options),
      );
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "source/hostile" || limit === 1)
        throw error;
      limit = Math.ceil(limit / 8);
      continue;
    }
    const found = page.kvs.map((one) => one.key);
    // As long as there is more, etcd gives as many as it is asked for: who gives fewer would have us ask for ever.
    const isWhole = found.length === limit || (!page.more && found.length < limit);
    const isRising = found.every((one, index) => {
      const least = index === 0 ? from : found[index - 1];
      const isAfter = least !== undefined && Buffer.compare(one, least) >= (index === 0 ? 0 : 1);
      return isAfter && Buffer.compare(one, range_end) < 0;
    });
    if (!isWhole || !isRising) {
      const message = `etcd:${members.settings.file}: what it lists is not what was asked for: ${what}`;
      throw new Failure("source/hostile", message);
    }
    yield { found, cluster: page.header.cluster_id, revision: page.header.revision };
    const last = found.at(-1);
    if (last === undefined || !page.more) return;
    from = after(last);
  }
}
