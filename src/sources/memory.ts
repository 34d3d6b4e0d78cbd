import { Failure } from "../failure.ts";
import type { Source } from "./source.ts";

/** What is there too, by its paths, and where it lies. */
export interface Elsewhere {
  readonly named: ReadonlySet<string>;
  readonly source: Source;
}

/** A source in this process alone: what came from elsewhere, or is to go there. */
export function openMemory(
  name: string,
  objects: Map<string, Uint8Array>,
  elsewhere?: Elsewhere,
): Source {
  const below = (folder: string): string[] =>
    [...objects.keys(), ...(elsewhere?.named ?? [])].filter((path) =>
      path.startsWith(`${folder}/`),
    );
  return {
    name,
    place: (path) => `${name}: ${path}`,
    read: (path, maxBytes) => {
      const bytes = objects.get(path);
      if (bytes === undefined && elsewhere?.named.has(path) === true)
        return elsewhere.source.read(path, maxBytes);
      if (bytes === undefined || bytes.length <= maxBytes) return Promise.resolve(bytes);
      const what = `${name}: ${path} has more than ${String(maxBytes)} bytes`;
      return Promise.reject(new Failure("source/hostile", what));
    },
    list: (folder) => {
      const names = below(folder).map((path) => path.slice(folder.length + 1).split("/", 1)[0]);
      return Promise.resolve([...new Set(names)].filter((one) => one !== undefined));
    },
    write: (path, bytes) => {
      objects.set(path, bytes);
      return Promise.resolve();
    },
    publish: (folder, files) => {
      if (below(folder).length > 0) return Promise.resolve(false);
      for (const [path, bytes] of files) objects.set(`${folder}/${path}`, bytes);
      return Promise.resolve(true);
    },
    remove: (path) => {
      for (const one of [path, ...below(path)]) objects.delete(one);
      return Promise.resolve();
    },
  };
}
