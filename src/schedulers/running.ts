import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../failure.ts";

/** How what was submitted stands: running on nodes, not yet, or never. */
export type Standing =
  { readonly nodes: readonly string[] } | { readonly why: string; readonly isFinal?: boolean };

/** How long is waited. */
export interface Patience {
  /** Until it runs, in milliseconds from when the scheduler has taken it. */
  readonly deadlineMs: number;
  /** For so many milliseconds it has to stay up. */
  readonly settleMs: number;
}

/** What came of a submission. */
export interface Submitted {
  /** Whether it ran already, as it is to. */
  readonly ranAlready: boolean;
  /** Where it runs, by the scheduler's names. */
  readonly nodes: readonly string[];
}

/** A service at a scheduler, from what runs there to what is to run. */
export interface Submitting {
  /** What it is there and what it is to be, as text to compare; the same if it is as it is to be. */
  difference(): Promise<{ readonly before: string; readonly after: string }>;
  /**
   * After it, it runs as it is to; what ran before was ended only then, or where the two may not overlap.
   *
   * @throws Failure with what became of what ran before, if it doesn't run: that runs on, or again
   */
  submit(patience: Patience): Promise<Submitted>;
}

const intervalMs = 500;

/**
 * The nodes on which it runs, once it has for a while. A scheduler that doesn't answer in between is asked again.
 *
 * @param look - how it stands now
 * @param what - names it and the scheduler in the message
 * @param not - what it doesn't do, if it isn't to run
 * @throws Failure `scheduler/not-running` with the reason, once the deadline is over or it never will;
 *   `scheduler/unavailable` if it isn't known how it stands
 */
export async function waitUntilRunning(
  what: string,
  { deadlineMs, settleMs }: Patience,
  look: () => Promise<Standing>,
  not = "doesn't run",
): Promise<readonly string[]> {
  const deadline = performance.now() + deadlineMs;
  let runsSince: number | undefined;
  for (;;) {
    const isLast = performance.now() + intervalMs > deadline;
    const standing = await looked(look, isLast);
    if (standing !== undefined && "nodes" in standing) {
      runsSince ??= performance.now();
      if (performance.now() - runsSince >= settleMs) return standing.nodes;
    } else {
      runsSince = undefined;
      const isFinal = standing?.isFinal === true;
      if (isFinal || (isLast && standing !== undefined)) {
        const within = isFinal ? "" : ` within ${String(deadlineMs / 1000)} s`;
        throw new Failure("scheduler/not-running", `${what} ${not}${within}: ${standing.why}`);
      }
    }
    await pause(intervalMs);
  }
}

async function looked(
  look: () => Promise<Standing>,
  isLast: boolean,
): Promise<Standing | undefined> {
  try {
    return await look();
  } catch (error) {
    const isPassing = error instanceof Failure && error.code === "scheduler/unavailable";
    if (isPassing && !isLast) return undefined;
    throw error;
  }
}

/** A failure with what became of what ran before. */
export function withSequel({ code, message, hint }: Failure, sequel: string): Failure {
  return new Failure(code, `${message}; ${sequel}`, hint);
}

/** What became of what ran before, where it was gone back to. Never throws a failure. */
export async function goneBack(goBack: () => Promise<string>): Promise<string> {
  try {
    return await goBack();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return `and what was there before isn't seen to run: ${error.message}`;
  }
}
