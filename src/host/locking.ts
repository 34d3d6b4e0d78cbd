import { findProgram, keepRunning } from "./process.ts";

/**
 * A lock that one process of this machine has at a time (flock(2)), until it is disposed of or this process
 * ends, however it does; undefined if another has it.
 *
 * @param path - a file, which is made if it isn't there, and stays
 * @throws Failure `program/missing`
 */
export async function takeLock(path: string): Promise<AsyncDisposable | undefined> {
  const [flock, shell] = await Promise.all([findProgram("flock"), findProgram("sh")]);
  return keepRunning(flock, ["--nonblock", "--no-fork", path, shell, "-c", "echo; read -r _"]);
}
