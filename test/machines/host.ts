import { spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import type { Ended } from "../fixtures/program.ts";

/** Runs a program on the machine that runs the tests, to its end. */
export async function runOnHost(
  program: string,
  args: readonly string[],
  input: string | Uint8Array = "",
  options: SpawnOptions = {},
): Promise<Ended> {
  const child = spawn(program, args, { ...options, stdio: ["pipe", "pipe", "pipe"] });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on("error", () => undefined).end(input);
  const [status] = (await once(child, "close")) as [number | null];
  return {
    status,
    stdout: Buffer.concat(stdout),
    stderr: Buffer.concat(stderr).toString(),
  };
}

/** What a program prints, which has to succeed. */
export async function okOnHost(
  program: string,
  args: readonly string[],
  input?: string | Uint8Array,
): Promise<string> {
  const { status, stdout, stderr } = await runOnHost(program, args, input);
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${String(status)}\n${stderr}`);
  return stdout.toString();
}
