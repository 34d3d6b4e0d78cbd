import type { Command } from "commander";
import { once } from "node:events";
import type { Context } from "../commands/context.ts";
import { Failure } from "../failure.ts";
import { jsonPieces } from "./json.ts";
import { showProgress } from "./progress.ts";
import { printable } from "../printable.ts";

interface WorldOptions {
  readonly config?: string;
  readonly json?: boolean;
  /** Only of the commands that ask. */
  readonly yes?: boolean;
}

/** A little more than a credential's limit: longer input is cut here and refused as too large. */
const maxInputSize = 1024 * 1024 + 64 * 1024;

/** The world as this process has it, for a command with the options that were given. */
export function createContext(command: Command): Context {
  const { config, json = false, yes = false } = command.optsWithGlobals<WorldOptions>();
  let inputTaken = false;
  const line = (text: string): void => {
    if (!json) process.stdout.write(`${text}\n`);
  };
  return {
    directory: currentDirectory(),
    environment: process.env,
    now: new Date(),
    configuration: config,
    json,
    isWatched: process.stderr.isTTY,
    print: (text) => {
      line(printable(text));
    },
    table: async (head, rows) => {
      if (json) return;
      const { layOut } = await import("./table.ts");
      line(layOut(head, rows));
    },
    result: (value) => {
      if (json) for (const piece of jsonPieces(value, false)) process.stdout.write(piece);
    },
    largeResult: async (value) => {
      if (!json) return;
      for (const piece of jsonPieces(value, true))
        if (!process.stdout.write(piece)) await once(process.stdout, "drain");
    },
    output: (bytes) =>
      // What can't be written ends the program, in main.
      new Promise((resolve) => {
        process.stdout.write(bytes, (error) => {
          if (!error) resolve();
        });
      }),
    each: async (what, things, act) => {
      using progress = showProgress(what, things.length);
      const found: Awaited<ReturnType<typeof act>>[] = [];
      for (const [index, thing] of things.entries()) {
        progress.at(index + 1);
        found.push(await act(thing));
      }
      return found;
    },
    progress: showProgress,
    warn: (text) => {
      process.stderr.write(`warning: ${printable(text)}\n`);
    },
    confirm: async (question) => {
      if (yes) return;
      const { askConfirmation } = await import("./prompt.ts");
      await askConfirmation(question);
    },
    secret: async (question) => {
      const { askSecret } = await import("./prompt.ts");
      return askSecret(question);
    },
    input: async (most = maxInputSize) => {
      if (inputTaken) {
        throw new Failure(
          "usage/invalid",
          "standard input is asked for twice, and can be read once",
        );
      }
      inputTaken = true;
      return readInput(most);
    },
    handedSocket,
    told: () =>
      new Promise((resolve) => {
        // For good: were it taken away with the first signal, execa's own handler would find itself alone
        // and end the process at once.
        for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, resolve);
      }),
  };
}

/** The first descriptor that systemd hands over (sd_listen_fds(3)). */
const firstDescriptor = 3;

function handedSocket(): number | undefined {
  const { LISTEN_FDS: count, LISTEN_PID: pid } = process.env;
  return count === "1" && pid === String(process.pid) ? firstDescriptor : undefined;
}

async function readInput(most: number): Promise<Uint8Array> {
  if (process.stdin.isTTY) {
    throw new Failure(
      "usage/invalid",
      "standard input is a terminal, which would show what is typed",
      "redirect a file to it, or leave '=-' away to be asked without echo",
    );
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > most) break;
  }
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
    chunk.fill(0);
  }
  return whole;
}

function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    throw new Failure(
      "usage/invalid",
      "the directory that this runs in is gone, or can't be entered",
      "cd to one that is there",
    );
  }
}
