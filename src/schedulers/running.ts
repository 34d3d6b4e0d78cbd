import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../failure.ts";

/** How what was submitted stands: running on nodes, not yet, or never. */
export type Standing =
  { readonly nodes: readonly string[] } | { readonly why: string; readonly isFinal?: boolean };

const intervalMs = 500;

/**
 * The nodes on which it runs, as soon as it does.
 *
 * @param look - how it stands now
 * @param what - names it and the scheduler in the message
 * @throws Failure `scheduler/not-running` with the reason, once the deadline is over or it never will
 */
export async function waitUntilRunning(
  what: string,
  deadlineMs: number,
  look: () => Promise<Standing>,
): Promise<readonly string[]> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const standing = await look();
    if ("nodes" in standing) return standing.nodes;
    const isOver = Date.now() + intervalMs > deadline;
    if (standing.isFinal === true || isOver) {
      const within = standing.isFinal === true ? "" : ` within ${String(deadlineMs / 1000)} s`;
      throw new Failure("scheduler/not-running", `${what} doesn't run${within}: ${standing.why}`);
    }
    await pause(intervalMs);
  }
}
