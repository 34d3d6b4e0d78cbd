import { setTimeout as pause } from "node:timers/promises";
import type { Failure } from "../../failure.ts";
import {
  bundleFolder,
  entriesOf,
  headersOf,
  poolFolder,
  rosterFolder,
} from "../../formats/paths.ts";
import type { Source } from "../../sources/source.ts";
import type { SyncReport } from "./pass.ts";

/** What is written together comes as several changes. */
const settleMs = 20;

/** Follows what concerns one node, where its source tells of changes. */
export interface Follower {
  /** Whether the source tells of what concerns the node; else it has to be looked at. */
  readonly isTold: boolean;
  /** After it, what a pass was about is followed, and nothing else. */
  follow(report: Pick<SyncReport, "pools" | "bundles">): void;
  end(): void;
}

/**
 * Follows nothing yet.
 *
 * @param changed - is told what has changed, once for what comes together; undefined if it may be anything
 * @param lost - is told why nothing is heard of the source
 */
export function createFollower(
  source: Source,
  changed: (paths: readonly string[] | undefined) => void,
  lost: (failure: Failure) => void,
): Follower {
  let followed = "";
  let hasPools = false;
  let ending = new AbortController();
  const listen = async (folders: readonly string[], signal: AbortSignal): Promise<void> => {
    for await (const change of source.watch?.(folders, signal) ?? []) {
      if (signal.aborted) return;
      if (change.kind === "lost") lost(change.failure);
      else {
        await pause(settleMs);
        changed(change.kind === "objects" ? change.paths : undefined);
      }
    }
  };
  return {
    // That a node has come into its first pool is told by nothing that it follows.
    get isTold() {
      return source.watch !== undefined && hasPools;
    },
    follow: ({ pools, bundles }) => {
      hasPools = pools.length > 0;
      const folders = [
        rosterFolder,
        ...pools.flatMap((pool) => [poolFolder(pool), entriesOf(pool), headersOf(pool)]),
        ...bundles.map(bundleFolder),
      ];
      if (folders.join("\n") === followed) return;
      followed = folders.join("\n");
      ending.abort();
      ending = new AbortController();
      // What ends it for good is told by the next pass, which goes by the same source.
      listen(folders, ending.signal).catch(() => {
        followed = "";
      });
    },
    end: () => {
      ending.abort();
    },
  };
}
