import { Failure } from "../failure.ts";
import { openMembers, type Members } from "./etcd.ts";
import { examineMembers } from "./etcd-health.ts";
import { keysOf } from "./etcd-keys.ts";
import { listChildren, listWritten } from "./etcd-listing.ts";
import { publishFolder } from "./etcd-publishing.ts";
import { mayAlsoChange, mayChange } from "./etcd-rights.ts";
import { readEtcdSettings } from "./etcd-settings.ts";
import { watchFolders } from "./etcd-watch.ts";
import type { Source } from "./source.ts";

/**
 * The source in etcd that the file at `path` says how to reach: an object is a key, its prefix before
 * the object's path.
 *
 * @throws Failure `configuration/missing`, `configuration/invalid`
 */
export async function openEtcd(path: string, base: string): Promise<Source> {
  const settings = await readEtcdSettings(path, base);
  const members = openMembers(settings);
  const keys = keysOf(settings.prefix);
  return {
    name: `etcd:${settings.file}`,
    place: (object) => `${settings.prefix}/${object} in etcd`,
    read: (object, maxBytes) => readKey(members, keys.key(object), object, maxBytes),
    list: (folder) => listChildren(members, keys, folder),
    write: async (object, value) => {
      await members.ask(`write ${object}`, ({ client, options }) =>
        client.kv.put({ key: keys.key(object), value: Buffer.from(value) }, options),
      );
    },
    publish: (folder, files) => publishFolder(members, keys, folder, files),
    remove: async (object) => {
      const { key, range_end } = keys.below(object);
      await members.ask(`remove ${object}`, ({ client, options }) =>
        client.kv.txn(
          {
            success: [
              { request_delete_range: { key: keys.key(object) } },
              { request_delete_range: { key, range_end } },
            ],
          },
          options,
        ),
      );
    },
    changedSince: (folder, since, isWanted) => listWritten(members, keys, folder, since, isWanted),
    mayChange: (beginning) => mayChange(members, settings.prefix, beginning),
    mayAlsoChange: (beginnings) => mayAlsoChange(members, settings.prefix, beginnings),
    members: () => examineMembers(settings),
    watch: (folders, signal) => watchFolders(members, keys, folders, signal),
  };
}

async function readKey(
  members: Members,
  key: Buffer,
  object: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const { kvs } = await members.ask(`read ${object}`, ({ client, options }) =>
    client.kv.range({ key, limit: 1 }, options),
  );
  const value = kvs[0]?.value;
  if (value === undefined) return undefined;
  if (value.length <= maxBytes) return new Uint8Array(value);
  throw new Failure(
    "source/hostile",
    `etcd:${members.settings.file}: ${object} has more than ${String(maxBytes)} bytes`,
  );
}
