import { fetchClosure, requireStored } from "../host/nix/nix.ts";
import type { StoreObject } from "../service/store-path.ts";
import type { RunRequest } from "./run-options.ts";

/** What a launch in place needs of the store beside its program, by store path: each is settled once it is there and pinned. */
export type Fetching = ReadonlyMap<string, Promise<void>>;

/**
 * Begins to fetch templates and bundles, each with a pin of its own.
 *
 * @param pin - the program's, from which theirs are named
 */
export function fetchBeside(
  { bundles, renders, closureTimeoutMs }: RunRequest,
  program: StoreObject,
  pin: string,
): Fetching {
  const templates = [...renders.values()].map(({ storePath }) => storePath);
  const sealed = bundles.flatMap(({ path }) => path ?? []);
  const wanted = new Set([...templates.filter((path) => path !== program.storePath), ...sealed]);
  return new Map(
    [...wanted].map((storePath, index) => {
      const own = `${pin}-${String(index + 1)}`;
      const fetched = fetchClosure({ storePath }, own, closureTimeoutMs);
      return [
        storePath,
        fetched.then(() => {
          requireStored(storePath);
        }),
      ];
    }),
  );
}
