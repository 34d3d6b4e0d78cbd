import type { Cache } from "./cache.ts";
import { inParallel } from "../host/in-parallel.ts";

/**
 * After it, the cache has those objects, in no order: what nobody asks for before a narinfo names its path.
 *
 * @throws Failure `cache/…`
 */
export async function putBesides(
  cache: Cache,
  objects: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  await inParallel(cache.width, [...objects], ([key, bytes]) => cache.put(key, bytes));
}

/** Those of the objects whose names the cache hasn't; what it has isn't compared. @throws Failure `cache/…` */
export async function missingBesides(
  cache: Cache,
  objects: ReadonlyMap<string, Uint8Array>,
): Promise<Map<string, Uint8Array>> {
  const missing = new Map<string, Uint8Array>();
  await inParallel(cache.width, [...objects], async ([key, bytes]) => {
    if (!(await cache.has(key))) missing.set(key, bytes);
  });
  return missing;
}
