import { Failure } from "../failure.ts";
import { isSecretObject } from "./directory.ts";
import type { Source } from "./source.ts";

/**
 * The source that has its bundles from one place, and whom to trust from another. A header is taken from
 * the latter where the former hasn't it: those of a newer epoch come after what was pinned. It is for
 * reading only.
 */
export function takeBundlesFrom(bundles: Source, trusted: Source): Source {
  const isHeader = (object: string): boolean => object.startsWith("headers/");
  const of = (object: string): Source => (isSecretObject(object) ? bundles : trusted);
  const refuse = (what: string): Promise<never> =>
    Promise.reject(new Failure("write/refused", `${bundles.name} is only read: ${what}`));
  return {
    name: bundles.name,
    place: (object) => of(object).place(object),
    read: async (object, maxBytes) => {
      const found = await of(object).read(object, maxBytes);
      return found ?? (isHeader(object) ? trusted.read(object, maxBytes) : undefined);
    },
    list: async (folder) => {
      const found = await of(folder).list(folder);
      if (!isHeader(`${folder}/`)) return found;
      return [...new Set([...found, ...(await trusted.list(folder))])];
    },
    write: refuse,
    publish: refuse,
    remove: refuse,
  };
}
