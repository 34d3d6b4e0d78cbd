import { once } from "node:events";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../failure.ts";

/**
 * Where programs are looked for: never in the caller's PATH, which a unit's environment may set
 * while root launches.
 */
const programDirectories = ["/run/current-system/sw/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** The same, as the PATH of a script. */
export const programPath = programDirectories.join(":");

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

/** Whether this machine has a program, where such are looked for. */
export function hasProgram(name: string): Promise<boolean> {
  return findProgram(name).then(
    () => true,
    () => false,
  );
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
  /** Whether its standard error goes on to this process's own at once. */
  readonly isShown?: boolean;
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
    ...(options.isShown === true ? { stderr: ["pipe", "inherit"] } : {}),
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

/**
 * The exit status of a program that has this process's terminal and streams; undefined if a signal ended it.
 * What the terminal sends meanwhile, such as SIGINT, is the program's alone.
 *
 * @param environment - the whole of it
 */
export async function runAttended(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number | undefined> {
  const { execa } = await import("execa");
  const signals = ["SIGINT", "SIGQUIT"] as const;
  const ignore = (): void => undefined;
  for (const signal of signals) process.on(signal, ignore);
  try {
    const options = {
      reject: false,
      extendEnv: false,
      env: environment,
      stdio: "inherit",
    } as const;
    return (await execa(program, args, options)).exitCode;
  } finally {
    for (const signal of signals) process.off(signal, ignore);
  }
}

/**
 * Has a script of POSIX sh wait until this process ends, however it does, or until what is returned is
 * called, which waits for the script's end.
 */
export async function afterwards(
  script: string,
  args: readonly string[],
): Promise<() => Promise<void>> {
  const { execa } = await import("execa");
  // In a session of its own, which what ends this process by its terminal or group doesn't reach.
  const waiting = execa("/bin/sh", ["-c", `read -r _; ${script}`, "sh", ...args], {
    reject: false,
    extendEnv: false,
    env: { PATH: programPath },
    cwd: "/",
    detached: true,
    cleanup: false,
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
  });
  return async () => {
    waiting.stdin.end();
    await waiting;
  };
}

/**
 * A program that says a line when it has what it is run for, and keeps it until its standard input ends: when
 * this is disposed of, or with this process, however that ends. Undefined if the program ended without a line.
 */
export async function keepRunning(
  program: string,
  args: readonly string[],
): Promise<AsyncDisposable | undefined> {
  const { execa } = await import("execa");
  const running = execa(program, args, {
    reject: false,
    extendEnv: false,
    env: { LC_ALL: "C" },
    buffer: false,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  const said = await Promise.race([once(running.stdout, "data"), running.then(() => undefined)]);
  if (said === undefined) return undefined;
  return {
    [Symbol.asyncDispose]: async () => {
      running.stdin.end();
      await running;
    },
  };
}

/** What a program writes to standard output, as it comes. It is ended with the last that is read. */
export async function* streamOf(
  program: string,
  args: readonly string[],
): AsyncGenerator<Uint8Array> {
  const { execa } = await import("execa");
  const child = execa(program, args, {
    reject: false,
    encoding: "buffer",
    extendEnv: false,
    env: { LC_ALL: "C" },
    buffer: false,
    stdin: "ignore",
    stderr: "ignore",
  });
  try {
    for await (const piece of child.iterable({ binary: true })) yield piece;
  } finally {
    child.kill("SIGKILL");
    await child;
  }
}

/** Takes text for the shell, and gives its answer; "" if it ended. */
export type Responder = (text: string) => Promise<string>;

/**
 * A shell that stays and answers one question after the other, for what is asked so often that starting
 * a program from here each time is too slow. It is begun with the first question, and anew after it
 * ended.
 *
 * @param script - POSIX sh that reads questions from standard input, and answers each with text that
 *   ends in an empty line
 */
export function createResponder(script: string): Responder {
  let shell: Promise<Responder> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  return (text) => {
    const answer = last.then(async () => {
      shell ??= startShell(script, () => {
        shell = undefined;
      });
      return (await shell)(text);
    });
    last = answer.catch(() => undefined);
    return answer;
  };
}

async function startShell(script: string, ended: () => void): Promise<Responder> {
  const { execa } = await import("execa");
  const shell = execa("/bin/sh", ["-c", script], {
    reject: false,
    extendEnv: false,
    env: { LC_ALL: "C" },
    buffer: false,
    stdin: "pipe",
    stderr: "ignore",
  });
  let received = "";
  let settle: ((answer: string) => void) | undefined;
  const finish = (answer: string): void => {
    received = "";
    settle?.(answer);
    settle = undefined;
  };
  shell.stdout.setEncoding("latin1").on("data", (chunk: string) => {
    received += chunk;
    if (received === "\n" || received.endsWith("\n\n")) finish(received.slice(0, -1));
  });
  shell.stdin.on("error", () => undefined);
  void shell.then(() => {
    ended();
    finish("");
  });
  return (text) =>
    new Promise((resolve) => {
      settle = resolve;
      shell.stdin.write(text);
    });
}
