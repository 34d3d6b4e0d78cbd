import { requireHaving } from "../../caches/having.ts";
import { openCache } from "../../caches/open.ts";
import { cacheOf, type RepositoryConfiguration } from "../../formats/configuration.ts";
import { listInvalid } from "../../host/nix/caches.ts";
import type { Context } from "../context.ts";
import { publish } from "../publish/publish.ts";

/** How what a service runs comes to its nodes. */
export interface PublishingOptions {
  /** Whether it is published; else it has to have been. */
  readonly publish: boolean;
  readonly isDryRun: boolean;
}

const timeout = 30;

/**
 * After it, the cache that the configuration names, if it names one, has what is to run.
 *
 * @returns whether the nodes can be asked now if they can fetch it; with a dry run they can't while it is to
 *   be built or published yet, which is told
 * @throws Failure `closure/absent` if it was to have been published; what `publish` throws
 */
export async function publishFor(
  context: Context,
  configuration: RepositoryConfiguration,
  storePaths: readonly string[],
  { publish: isPublished, isDryRun }: PublishingOptions,
): Promise<boolean> {
  const cache = cacheOf(configuration);
  if (isDryRun) {
    const unbuilt = await listInvalid(storePaths);
    for (const path of unbuilt) context.print(`would build ${path}, or fetch it`);
    if (unbuilt.length > 0) return false;
  }
  if (cache === undefined) return true;
  if (!isPublished) {
    const access = {
      ...{ directory: context.directory, netrc: undefined, patienceMs: timeout * 1000 },
      isOnlyRead: true,
    };
    const addresses = [cache.to, ...cache.upstreams];
    const caches = await Promise.all(addresses.map((one) => openCache(one, access)));
    await requireHaving(caches, storePaths);
    return true;
  }
  let isWhole = true;
  // What it answers to programs is no answer of the whole.
  const part: Context = {
    ...context,
    result: (value) => {
      const { missing = [] } = value as { readonly missing?: readonly unknown[] };
      isWhole = missing.length === 0;
    },
  };
  await publish(part, storePaths, { cacheKey: [], upstream: [], timeout, dryRun: isDryRun });
  return isWhole;
}
