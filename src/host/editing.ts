import { mkdtemp, stat, statfs } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { isatty } from "node:tty";
import { Failure } from "../failure.ts";
import { createFileExclusive, readRegularFile } from "./files.ts";
import { isInMemory } from "./memory.ts";
import { afterwards, run, runAttended } from "./process.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** How a value is edited. */
export interface EditingOptions {
  readonly environment: Environment;
  /** What may come back. */
  readonly maxBytes: number;
  /** Whether standard input was read to its end, so that the editor is given the terminal, if there is one. */
  readonly isInputTaken: boolean;
}

/**
 * What a person makes of `value` in the editor that VISUAL, else EDITOR names, else at a terminal in vi.
 * Meanwhile it is in a file that the person alone can reach, on a file system in memory, as are the editor's
 * temporary files; both are gone when this ends or this process does, however that happens. Vim and Neovim
 * keep nothing of it elsewhere.
 *
 * @param name - of the file, which editors show
 * @returns new bytes, which the caller wipes
 * @throws Failure `mount/not-memory`, `write/refused`; `editor/failed` if the editor fails or leaves no
 *   such file; `credential/too-large`
 */
export async function editInMemory(
  name: string,
  value: Uint8Array,
  { environment, maxBytes, isInputTaken }: EditingOptions,
): Promise<Uint8Array> {
  if (namedEditor(environment) === undefined && !isInputTaken && !isatty(0)) {
    throw new Failure(
      "editor/failed",
      "standard input is no terminal, and no editor is named that needs none",
      "run it at a terminal; or name a program that changes the file: export EDITOR=PROGRAM",
    );
  }
  const directory = await mkdtemp(join(await placeInMemory(environment), "sealaunch-edit-"));
  const removed = await afterwards('rm -rf -- "$1"', [directory]);
  try {
    const file = join(directory, name);
    await createFileExclusive(file, value, 0o600);
    const editor = namedEditor(environment) ?? "vi";
    // As git does: the variable may have words and quotes of its own.
    const script = `${isInputTaken ? fromTerminal : ""}${await discreet(editor, environment)} "$@"`;
    const words = ["-c", script, editor, file];
    const status = await runAttended("/bin/sh", words, { ...environment, TMPDIR: directory });
    if (status !== 0) {
      throw new Failure(
        "editor/failed",
        `the editor (${editor}) ended with ${String(status ?? "a signal")}, so nothing is sealed`,
        "run it again; EDITOR names another editor",
      );
    }
    return await readBack(file, name, maxBytes);
  } finally {
    await removed();
  }
}

function namedEditor({ VISUAL = "", EDITOR = "" }: Environment): string | undefined {
  return [VISUAL, EDITOR].find((one) => one !== "");
}

const fromTerminal = "if (: </dev/tty) 2>/dev/null; then exec </dev/tty; fi; ";

/**
 * Vim keeps what was typed, yanked and deleted in the home directory, and swap, backup and undo files
 * wherever its configuration says; Neovim does unasked. With these words it keeps none.
 */
const vim = {
  // Not every vi is one, and no other editor is asked what it is: it might take that for a file's name.
  called: /(?:^|\/)[gn]?vim?(?:\.\w+)?$/u,
  saysOfItself: /^N?VIM /u,
  words: "-n -c 'set nobackup nowritebackup noundofile viminfo='",
};

/** The editor's command, in a shell's words, with those that have it keep nothing, where it is known. */
async function discreet(editor: string, environment: Environment): Promise<string> {
  const [program = ""] = editor.trimStart().split(/\s/u, 1);
  if (!vim.called.test(program)) return editor;
  const { HOME = "", PATH = "" } = environment;
  const { stdout } = await run("/bin/sh", ["-c", `${program} --version`], {
    environment: { HOME, PATH },
  });
  if (!vim.saysOfItself.test(new TextDecoder().decode(stdout))) return editor;
  // First, since its own words may end it.
  return `${program} ${vim.words}${editor.trimStart().slice(program.length)}`;
}

/** @throws Failure `mount/not-memory` */
async function placeInMemory({ XDG_RUNTIME_DIR: runtime = "" }: Environment): Promise<string> {
  const places = [...(isAbsolute(runtime) ? [runtime] : []), "/dev/shm"];
  for (const place of places) {
    if (await isFitting(place).catch(() => false)) return place;
  }
  throw new Failure(
    "mount/not-memory",
    `nothing is edited: ${places.join(" and ")} ${places.length === 1 ? "is" : "are"} not both in memory and safe from other users`,
    "export XDG_RUNTIME_DIR=DIR, a directory of yours on tmpfs",
  );
}

/** Whether a place is in memory, and nobody else can put something of his where our directory is. */
async function isFitting(place: string): Promise<boolean> {
  if (!isInMemory(await statfs(place))) return false;
  const { uid, mode } = await stat(place);
  const isSticky = (mode & 0o1000) !== 0;
  return [0, process.geteuid?.()].includes(uid) && ((mode & 0o022) === 0 || isSticky);
}

async function readBack(file: string, name: string, maxBytes: number): Promise<Uint8Array> {
  const bytes = await readRegularFile(file, maxBytes).catch(() => {
    throw new Failure(
      "credential/too-large",
      `credential ${name} is over ${String(maxBytes)} bytes after editing, or its file no plain file, so nothing is sealed`,
    );
  });
  if (bytes !== undefined) return bytes;
  throw new Failure(
    "editor/failed",
    `the editor left no file ${name}, so nothing is sealed`,
    "save it under the name it has",
  );
}
