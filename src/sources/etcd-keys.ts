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
export const afterSlash = "0";

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
