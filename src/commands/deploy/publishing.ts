import { requireHaving } from "../../caches/having.ts";
import { openCache } from "../../caches/open.ts";
import { Failure } from "../../failure.ts";
import { cacheOf, type RepositoryConfiguration } from "../../formats/configuration.ts";
import { listInvalid } from "../../host/nix/caches.ts";
import { asPart, type Context } from "../context.ts";
import { publish } from "../publish/publish.ts";

/** How what a service runs comes to its nodes. */
export interface PublishingOptions {
  /** Whether it is published; else it has to have been. */
  readonly publish: boolean;
  /** Whether the submission copies it to each node instead. */
  readonly copyClosure: boolean;
  /** Whether Nix builds it, which a dry run leaves undone. */
  readonly isBuilt: boolean;
  readonly isDryRun: boolean;
}

const timeout = 30;

/**
 * After it, the cache that the configuration names, if it names one, has what is to run; or it is here, to be
 * copied.
 *
 * @returns whether the nodes can be asked now if they can have it; they can't while it is only to be copied, or,
 *   with a dry run, built or published, which is told
 * @throws Failure `store/missing` if it was to be here; `closure/absent` if it was to have been published; what
 *   `publish` throws
 */
export async function publishFor(
  context: Context,
  configuration: RepositoryConfiguration,
  storePaths: readonly string[],
  { publish: isPublished, copyClosure, isBuilt, isDryRun }: PublishingOptions,
): Promise<boolean> {
  const absent = copyClosure || isDryRun ? await listInvalid(storePaths) : [];
  if (absent[0] !== undefined && isDryRun && isBuilt) {
    for (const path of absent) context.print(`would build ${path}, or fetch it`);
    return false;
  }
  if (copyClosure) {
    if (absent[0] === undefined) return false;
    throw new Failure(
      "store/missing",
      `${absent[0]} is to be copied to the nodes, and is not in the store here`,
      `nix-store --realise ${absent[0]}`,
    );
  }
  const cache = cacheOf(configuration);
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
  const asked = { cacheKey: [], upstream: [], timeout, dryRun: isDryRun };
  return publish(asPart(context), storePaths, asked);
}
