import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../failure.ts";

/**
 * Where programs are looked for: never in the caller's PATH, which a unit's environment may set
 * while root launches.
 */
const programDirectories = ["/run/current-system/sw/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

const found = new Map<string, string>();

/** The absolute path of a program. @throws Failure `program/missing` */
export async function findProgram(name: string): Promise<string> {
  const known = found.get(name);
  if (known !== undefined) return known;
  for (const directory of programDirectories) {
    const path = join(directory, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (!isThere) continue;
    found.set(name, path);
    return path;
  }
  throw new Failure("program/missing", `${name} is in none of ${programDirectories.join(", ")}`);
}

/** What a program is run with. */
export interface RunOptions {
  /** Its standard input; empty by default. */
  readonly input?: Uint8Array;
  /** Its whole environment; empty by default, but for LC_ALL=C. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** After so many milliseconds it is killed; never by default. */
  readonly timeoutMs?: number;
  /** Whether it is killed when this process dies, however that happens (prctl(2), PDEATHSIG). */
  readonly diesWithUs?: boolean;
}

/** How a program ended. */
export interface RunResult {
  /** Undefined if a signal ended it, or it couldn't be started. */
  readonly exitCode: number | undefined;
  readonly timedOut: boolean;
  readonly stdout: Uint8Array;
  /** Text for people, of programs that never see a secret. */
  readonly stderr: string;
}

/**
 * How `program` ended; that it failed is no failure of this. Nothing of its output gets into an
 * error, and no shell is between.
 *
 * @param program - an absolute path
 */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const [command, ...rest] =
    options.diesWithUs === true
      ? [await findProgram("setpriv"), "--pdeathsig", "KILL", "--", program, ...args]
      : [program, ...args];
  // Loaded with the first program, since most starts need none and it takes as long as half of Node.
  const { execa } = await import("execa");
  const result = await execa(command, rest, {
    reject: false,
    stripFinalNewline: false,
    encoding: "buffer",
    extendEnv: false,
    env: { LC_ALL: "C", ...options.environment },
    input: options.input ?? new Uint8Array(),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.timeoutMs === undefined
      ? {}
      : { timeout: options.timeoutMs, killSignal: "SIGKILL" }),
  });
  return {
    exitCode: result.exitCode,
    timedOut: result.timedOut,
    stdout: result.stdout,
    stderr: new TextDecoder().decode(result.stderr),
  };
}
