import type { Cache } from "../../caches/cache.ts";
import { openCache } from "../../caches/open.ts";
import { findRepository } from "../../cluster/configuration.ts";
import { Failure } from "../../failure.ts";
import { cacheOf } from "../../formats/configuration.ts";
import { parsePublicCacheKey, type PublicCacheKey } from "../../formats/cache-key.ts";
import type { Context } from "../context.ts";

/** What the command line says of whom to ask what publishers say. */
export interface RecordFlags {
  /** Addresses. */
  readonly caches: readonly string[];
  /** `NAME:BASE64`. */
  readonly publicKeys: readonly string[];
}

/** Caches that are asked for publishers' records, and by whom these have to be signed. */
export interface AskedCaches {
  readonly caches: readonly Cache[];
  readonly keys: readonly PublicCacheKey[];
}

/** So long a server may be silent, five times: a scan goes on without it. */
const patienceMs = 5000;

/**
 * What the command line says, and where it says nothing the repository's configuration. That one names
 * a cache to publish to asks for nothing here: only who names public keys too is believed in something.
 *
 * @throws Failure `usage/invalid`, `cache/…` if an address can be none; `configuration/invalid`
 */
export async function chooseCaches(
  context: Context,
  { caches, publicKeys }: RecordFlags,
): Promise<AskedCaches> {
  const isWhole = caches.length > 0 && publicKeys.length > 0;
  const repository = isWhole
    ? undefined
    : await findRepository(context.directory, context.configuration);
  const defaults = cacheOf(repository?.configuration);
  const keys = publicKeys.length > 0 ? publicKeys : (defaults?.publicKeys ?? []);
  const configured = defaults === undefined || keys.length === 0 ? [] : [defaults.to];
  const addresses = caches.length > 0 ? caches : configured;
  if (addresses.length > 0 && keys.length === 0) {
    throw new Failure(
      "usage/invalid",
      "--cache names a cache, and neither --cache-public-key nor 'cache' in sealaunch.json a key that it is signed with",
      "sealaunch scan … --cache URL --cache-public-key NAME:BASE64",
    );
  }
  if (addresses.length === 0 && keys.length > 0) {
    throw new Failure(
      "usage/invalid",
      "--cache-public-key names a key, and neither --cache nor 'cache' in sealaunch.json a cache",
      "sealaunch scan … --cache URL --cache-public-key NAME:BASE64",
    );
  }
  const access = { directory: context.directory, netrc: undefined, patienceMs, isOnlyRead: true };
  return {
    keys: keys.map(parseKey),
    caches: await Promise.all([...new Set(addresses)].map((one) => openCache(one, access))),
  };
}

function parseKey(text: string): PublicCacheKey {
  const key = parsePublicCacheKey(text);
  if (key !== undefined) return key;
  // It may be the secret half: no more of it is said than its name.
  const name = JSON.stringify(text.split(":")[0]?.slice(0, 100));
  throw new Failure(
    "usage/invalid",
    text.includes(":") ? `${name} is no public key of a cache` : "a public key isn't NAME:BASE64",
    "give what stands in the public file of nix-store --generate-binary-cache-key",
  );
}
