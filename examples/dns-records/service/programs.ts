import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

// What this process has begun ends with it, also where nothing else ends it.
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill();
});

/**
 * What a program prints.
 *
 * @throws Error with the last that it says, if it doesn't end well or within half a minute
 */
export async function outputOf(
  program: string,
  args: readonly string[],
  input = "",
): Promise<string> {
  const child = spawn(program, args, { timeout: 30_000 });
  child.stdin.on("error", () => undefined).end(input);
  const said = saidOf(child);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => (output += part));
  const { status, last } = await said;
  if (status !== 0) throw new Error(`${program} ended with ${String(status)}: ${last}`);
  return output;
}

/**
 * Returns once a program has printed a line, or after that time.
 *
 * @throws Error if it ends before
 */
export async function firstLineOf(
  program: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<void> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const said = saidOf(child);
  const timer = setTimeout(() => child.kill(), timeoutMs);
  createInterface(child.stdout).once("line", () => child.kill());
  const { status, last } = await said;
  clearTimeout(timer);
  if (!child.killed) throw new Error(`${program} ended with ${String(status)}: ${last}`);
}

/** How a program has ended, and its last line on standard error. */
async function saidOf(child: ChildProcess): Promise<{ status: number | string; last: string }> {
  running.add(child);
  let said = "";
  child.stderr
    ?.setEncoding("utf8")
    .on("data", (part: string) => (said = (said + part).slice(-2000)));
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      running.delete(child);
      reject(error);
    });
    child.once("close", (status, signal) => {
      running.delete(child);
      resolve({ status: status ?? signal ?? "", last: said.trim().split("\n").at(-1) ?? "" });
    });
  });
}
