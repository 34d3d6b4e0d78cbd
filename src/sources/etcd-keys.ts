import { Failure } from "../failure.ts";
import type { Members } from "./etcd.ts";
import type { Written } from "./source.ts";

/** A range of keys, as etcd's requests have it. */
export interface KeyRange {
  readonly key: Buffer;
  readonly range_end: Buffer;
}

/** How paths of a source are keys of etcd. */
export interface Keys {
  key(path: string): Buffer;
  /** The path of a key that begins as all do. */
  path(key: Buffer): string;
  /** All keys of what is below a folder. */
  below(folder: string): KeyRange;
}

/** What comes right after `/` among bytes: so that `NAME0` is the end of all that begins with `NAME/`. */
const afterSlash = "0";

/** @param prefix - what all keys begin with, such as `/sealaunch` */
export function keysOf(prefix: string): Keys {
  return {
    key: (path) => Buffer.from(`${prefix}/${path}`),
    path: (key) => key.subarray(Buffer.byteLength(prefix) + 1).toString(),
    below: (folder) => ({
      key: Buffer.from(`${prefix}/${folder}/`),
      range_end: Buffer.from(`${prefix}/${folder}${afterSlash}`),
    }),
  };
}

const pageSize = 500;
const wholePageSize = 5_000;
/** More than any folder has; a source that names more is at something else. */
const mostNames = 1_000_000;
const slash = 0x2f;

/**
 * The names directly within a folder. etcd has only keys: they are read by the page, and what else is
 * below a name that was seen is passed over.
 *
 * @throws Failure `source/…`
 */
export async function listChildren(
  members: Members,
  keys: Keys,
  folder: string,
): Promise<string[]> {
  const { key: first, range_end } = keys.below(folder);
  const names = new Set<string>();
  for (let from = first; Buffer.compare(from, range_end) < 0;) {
    const page = await members.ask(`list ${folder}`, ({ client, options }) =>
      client.kv.range({ key: from, range_end, limit: pageSize, keys_only: true }, options),
    );
    let last: Buffer | undefined;
    for (const { key } of page.kvs) {
      const isInside = Buffer.compare(key, last ?? from) >= 0 && Buffer.compare(key, range_end) < 0;
      if (!isInside || names.size > mostNames) throw isElsewhere(members, folder);
      const rest = key.subarray(first.length);
      const end = rest.indexOf(slash);
      names.add(rest.subarray(0, end < 0 ? undefined : end).toString());
      last = key;
    }
    if (last === undefined || !page.more) break;
    const end = last.indexOf(slash, first.length);
    from =
      end < 0
        ? Buffer.concat([last, Buffer.of(0)])
        : Buffer.concat([last.subarray(0, end), Buffer.from(afterSlash)]);
  }
  return [...names];
}

/**
 * The objects below a folder that were written after `since`, which is `CLUSTER/REVISION` of etcd. What
 * was removed isn't told.
 *
 * @throws Failure `source/…`
 */
export async function listWritten(
  members: Members,
  keys: Keys,
  folder: string,
  since: string | undefined,
): Promise<Written> {
  const { key: first, range_end } = keys.below(folder);
  const paths: string[] = [];
  let until: string | undefined;
  let after = since === undefined ? undefined : parseRevision(since);
  for (let from = first; ;) {
    const min_mod_revision = after === undefined ? "0" : String(after.revision + 1n);
    const page = await members.ask(`list what is new in ${folder}`, ({ client, options }) =>
      client.kv.range(
        { key: from, range_end, limit: wholePageSize, keys_only: true, min_mod_revision },
        options,
      ),
    );
    const { cluster_id, revision } = page.header;
    if (
      after !== undefined &&
      (cluster_id !== after.cluster || BigInt(revision) < after.revision)
    ) {
      after = undefined;
      continue;
    }
    // What is written while the pages are read is told again.
    until ??= `${cluster_id}/${revision}`;
    for (const { key } of page.kvs) {
      const isInside = Buffer.compare(key, from) >= 0 && Buffer.compare(key, range_end) < 0;
      if (!isInside || paths.length >= mostNames) throw isElsewhere(members, folder);
      paths.push(keys.path(key));
      from = Buffer.concat([key, Buffer.of(0)]);
    }
    if (!page.more || page.kvs.length === 0) return { paths, until };
  }
}

function parseRevision(
  text: string,
): { readonly cluster: string; readonly revision: bigint } | undefined {
  const [, cluster, revision] = /^(\d{1,20})\/(\d{1,20})$/u.exec(text) ?? [];
  if (cluster === undefined || revision === undefined) return undefined;
  return { cluster, revision: BigInt(revision) };
}

function isElsewhere({ settings }: Members, folder: string): Failure {
  return new Failure(
    "source/hostile",
    `etcd:${settings.file}: what it lists is not what is below ${folder}`,
  );
}
