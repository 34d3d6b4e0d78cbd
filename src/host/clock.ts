import { hasProgram, findProgram, run } from "./process.ts";

/** What a machine knows of its clock. */
export interface Clock {
  /** Whether something sets it, such as NTP; undefined if nothing tells. */
  readonly isSynchronised: boolean | undefined;
}

const answersWithinMs = 5_000;

/** What this machine knows of its clock, as timedatectl(1) asks the kernel (adjtimex(2)). */
export async function readClock(): Promise<Clock> {
  if (!(await hasProgram("timedatectl"))) return { isSynchronised: undefined };
  const words = ["show", "--property=NTPSynchronized", "--value"];
  const { stdout } = await run(await findProgram("timedatectl"), words, {
    timeoutMs: answersWithinMs,
  });
  const answer = new TextDecoder().decode(stdout).trim();
  return { isSynchronised: answer === "" ? undefined : answer === "yes" };
}
