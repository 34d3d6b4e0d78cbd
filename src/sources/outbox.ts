import type { Source } from "./source.ts";

/**
 * The source that is read at one place and written to at another, whence somebody else carries it: what
 * waits there is read where the first hasn't it yet. Nothing is removed.
 */
export function writeInto(outbox: Source, from: Source): Source {
  return {
    name: from.name,
    place: (path) => outbox.place(path),
    read: async (path, maxBytes) =>
      (await from.read(path, maxBytes)) ?? (await outbox.read(path, maxBytes)),
    list: async (folder) => [
      ...new Set([...(await from.list(folder)), ...(await outbox.list(folder))]),
    ],
    write: (path, bytes) => outbox.write(path, bytes),
    publish: (folder, files) => outbox.publish(folder, files),
    remove: (path) => outbox.remove(path),
  };
}
