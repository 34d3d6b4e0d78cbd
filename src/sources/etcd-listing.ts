import { Failure } from "../failure.ts";
import type { Members } from "./etcd.ts";
import { afterSlash, type KeyRange, type Keys } from "./etcd-keys.ts";
import { readPages } from "./etcd-pages.ts";
import type { Written } from "./source.ts";

/** No name is longer, as of files, and no path; what has one is nobody's object, and isn't made text of. */
const longestName = 255;
const longestKey = 2048;
/** More than any folder has: a member list has room for 60,000, whose entries have names of 36 bytes. */
const mostNames = 100_000;
const mostBytes = 8 * 1024 * 1024;
const slash = 0x2f;

/**
 * The names directly within a folder. etcd has only keys: they are read by the page, and what else is
 * below a name that was seen is passed over.
 *
 * @throws Failure `source/…`; `source/hostile` if there are more names than any folder has
 */
export async function listChildren(
  members: Members,
  keys: Keys,
  folder: string,
): Promise<string[]> {
  const range = keys.below(folder);
  const start = range.key.length;
  const names = new Set<string>();
  let bytes = 0;
  const after = (last: Buffer): Buffer => {
    const end = last.indexOf(slash, start);
    return end < 0 ? next(last) : Buffer.concat([last.subarray(0, end), Buffer.from(afterSlash)]);
  };
  const what = `list ${folder}`;
  for await (const { found } of readPages(members, range, { what, pageSize: 500, after })) {
    for (const key of found) {
      const end = key.indexOf(slash, start);
      const name = key.subarray(start, end < 0 ? undefined : end);
      if (name.length > longestName || names.has(name.toString())) continue;
      names.add(name.toString());
      bytes += name.length;
      if (names.size > mostNames || bytes > mostBytes) throw hasMore(members, folder, range);
    }
  }
  return [...names];
}

/** The first key after that one. */
const next = (key: Buffer): Buffer => Buffer.concat([key, Buffer.of(0)]);

function hasMore({ settings }: Members, folder: string, { key }: KeyRange): Failure {
  return new Failure(
    "source/hostile",
    `etcd:${settings.file} has more names in ${folder} than any folder has`,
    `see whose they are: etcdctl get --prefix --keys-only --limit 1000 ${key.toString()}`,
  );
}

/**
 * The objects below a folder that were written after `since`, which is `CLUSTER/REVISION` of etcd. What
 * was removed isn't told.
 *
 * @param isWanted - which of them are told; however many others there are
 * @throws Failure `source/…`; `source/hostile` if there are more of them than any folder has
 */
export async function listWritten(
  members: Members,
  keys: Keys,
  folder: string,
  since: string | undefined,
  isWanted: (path: string) => boolean,
): Promise<Written> {
  const range = keys.below(folder);
  const before = since === undefined ? undefined : parseRevision(since);
  const paths: string[] = [];
  let until: string | undefined;
  const reading = {
    what: `list what is new in ${folder}`,
    pageSize: 5_000,
    minRevision: before === undefined ? 0n : before.revision + 1n,
    after: next,
  };
  for await (const { found, cluster, revision } of readPages(members, range, reading)) {
    if (before !== undefined && (cluster !== before.cluster || BigInt(revision) < before.revision))
      return listWritten(members, keys, folder, undefined, isWanted);
    // What is written while the pages are read is told again.
    until ??= `${cluster}/${revision}`;
    for (const key of found) {
      const path = key.length > longestKey ? undefined : keys.path(key);
      if (path !== undefined && isWanted(path)) paths.push(path);
    }
    if (paths.length > mostNames) throw hasMore(members, folder, range);
  }
  return { paths, until: until ?? "" };
}

function parseRevision(
  text: string,
): { readonly cluster: string; readonly revision: bigint } | undefined {
  const [, cluster, revision] = /^(\d{1,20})\/(\d{1,20})$/u.exec(text) ?? [];
  if (cluster === undefined || revision === undefined) return undefined;
  return { cluster, revision: BigInt(revision) };
}
