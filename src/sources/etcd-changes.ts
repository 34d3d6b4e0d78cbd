import type { Failure } from "../failure.ts";
import type { Change } from "./source.ts";

/** Changes that came and weren't told yet. */
export interface Gathering {
  object(path: string): void;
  anything(): void;
  lost(failure: Failure): void;
  /** The next to tell, when there is one; undefined once it has ended. */
  next(): Promise<Change | undefined>;
}

/** More paths than this are told as `anything`: whoever listens is too slow for each. */
const mostPaths = 10_000;
/** No object's path is longer, so that what has one is of no interest. */
const longestPath = 1024;

/** Keeps what comes until it is asked for, each path once, and what is no longer of interest not at all. */
export function gatherChanges(signal: AbortSignal): Gathering {
  const paths = new Set<string>();
  let isAnything = false;
  let failure: Failure | undefined;
  let wake: (() => void) | undefined;
  const tell = (): void => {
    wake?.();
  };
  signal.addEventListener("abort", tell, { once: true });
  const take = (): Change | undefined => {
    if (isAnything) {
      isAnything = false;
      paths.clear();
      return { kind: "anything" };
    }
    if (paths.size > 0) {
      const told = [...paths];
      paths.clear();
      return { kind: "objects", paths: told };
    }
    const lost = failure;
    failure = undefined;
    return lost && { kind: "lost", failure: lost };
  };
  return {
    object: (path) => {
      failure = undefined;
      if (path.length > longestPath) return;
      paths.add(path);
      if (paths.size > mostPaths) isAnything = true;
      tell();
    },
    anything: () => {
      failure = undefined;
      isAnything = true;
      tell();
    },
    lost: (why) => {
      failure = why;
      tell();
    },
    next: async () => {
      for (;;) {
        if (signal.aborted) return undefined;
        const change = take();
        if (change !== undefined) return change;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
