import { readlink, realpath } from "node:fs/promises";
import { resolve } from "node:path";
import type { Cache } from "../../caches/cache.ts";
import { openCache, type CacheAccess } from "../../caches/open.ts";
import { findRepository } from "../../cluster/configuration.ts";
import { Failure } from "../../failure.ts";
import { cacheOf } from "../../formats/configuration.ts";
import { parseCacheKey, type CacheKey } from "../../formats/cache-key.ts";
import { errorCode } from "../../host/error-code.ts";
import { readRegularFile } from "../../host/files.ts";
import { isInStore, parseStoreFile } from "../../service/store-path.ts";
import type { Context } from "../context.ts";

/** What the command line says of where to publish, and signed by whom. */
export interface PublishFlags {
  readonly to?: string | undefined;
  /** Files. */
  readonly cacheKey: readonly string[];
  readonly upstream: readonly string[];
  readonly netrc?: string | undefined;
  /** For how many seconds a server may be silent. */
  readonly timeout: number;
}

/** Where to publish, and signed by whom. */
export interface Publishing {
  readonly cache: Cache;
  readonly keys: readonly CacheKey[];
  readonly upstreams: readonly Cache[];
}

/**
 * What the command line says, and where it says nothing the repository's configuration.
 *
 * @throws Failure `usage/invalid` if neither names a cache or a key; `cache-key/invalid`, `cache/…`
 */
export async function choosePublishing(
  context: Context,
  { to, cacheKey, upstream, netrc, timeout }: PublishFlags,
): Promise<Publishing> {
  const repository = await findRepository(context.directory, context.configuration);
  const defaults = cacheOf(repository?.configuration);
  const address = to ?? defaults?.to;
  if (address === undefined) {
    throw new Failure(
      "usage/invalid",
      "neither --to nor 'cache' in sealaunch.json names a cache",
      "sealaunch publish PATH --to URL --cache-key FILE",
    );
  }
  const files =
    cacheKey.length > 0
      ? cacheKey.map((file) => resolve(context.directory, file))
      : (defaults?.keys ?? []).map((file) => resolve(repository?.directory ?? "", file));
  if (files.length === 0) {
    throw new Failure(
      "usage/invalid",
      "neither --cache-key nor 'cache' in sealaunch.json names a key to sign with",
      "make one: nix-store --generate-binary-cache-key NAME cache.secret cache.public",
    );
  }
  const keys = await Promise.all(files.map((file) => readKey(context, file)));
  const access: CacheAccess = { directory: context.directory, netrc, patienceMs: timeout * 1000 };
  const addresses = upstream.length > 0 ? upstream : (defaults?.upstreams ?? []);
  return {
    cache: await openCache(address, access),
    keys,
    upstreams: await Promise.all(addresses.map((one) => openCache(one, access))),
  };
}

const maxKeySize = 4096;

async function readKey(context: Context, file: string): Promise<CacheKey> {
  let mode = 0;
  const bytes = await readRegularFile(file, maxKeySize, (facts) => {
    mode = facts.mode;
  });
  if (bytes === undefined) throw new Failure("cache-key/invalid", `there is no ${file}`);
  if ((mode & 0o077) !== 0)
    context.warn(`${file} is a secret key that others may read: chmod 0600 ${file}`);
  return parseCacheKey(bytes, file);
}

/** What is to be published. What was built for it stays until this is disposed of. */
export interface Chosen extends AsyncDisposable {
  readonly storePaths: readonly string[];
}

/**
 * The store paths that the arguments are, or are links to, or that service files run.
 *
 * @throws Failure `closure/not-in-store`; of a service file what `openService` throws
 */
export async function findStorePaths(
  context: Context,
  paths: readonly string[],
  root: string | undefined,
): Promise<Chosen> {
  await using open = new AsyncDisposableStack();
  const storePaths = new Set<string>();
  for (const path of paths) {
    if (path.endsWith(".json") && !isInStore(path)) {
      const { openService } = await import("../unit/service.ts");
      const service = open.use(await openService(context, path, { isBuilt: true, root }));
      for (const one of service.storePaths) storePaths.add(one);
    } else {
      storePaths.add(await findStorePath(context, path, root));
    }
  }
  const kept = open.move();
  return {
    storePaths: [...storePaths],
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function findStorePath(
  context: Context,
  path: string,
  root: string | undefined,
): Promise<string> {
  const whole = resolve(context.directory, path);
  const target = isInStore(whole) ? whole : await follow(whole, root);
  if (isInStore(target)) return parseStoreFile(target).storePath;
  throw new Failure(
    "closure/not-in-store",
    target === whole ? `${path} is not in /nix/store` : `${path} is ${target}, not in /nix/store`,
    "nix-build leaves a link to what it built: sealaunch publish ./result …",
  );
}

async function follow(path: string, root: string | undefined): Promise<string> {
  try {
    // A link into another root's store leads to nowhere here.
    return root === undefined ? await realpath(path) : await readlink(path);
  } catch (error) {
    throw new Failure("closure/not-in-store", `${path} can't be followed: ${errorCode(error)}`);
  }
}
