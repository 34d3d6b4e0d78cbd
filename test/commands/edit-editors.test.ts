import { chmodSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectDone } from "../fixtures/ended.ts";
import { atTerminal } from "../fixtures/terminal.ts";
import { Workplace } from "../fixtures/worked-example.ts";

let place: Workplace;
let here: string;
let memory: string;
beforeAll(() => {
  place = Workplace.followed();
});
afterAll(() => {
  place[Symbol.dispose]();
});
beforeEach(() => {
  here = place.copy();
  memory = join("/dev/shm", `sealaunch-editors-${String(process.pid)}`);
  mkdirSync(memory, { mode: 0o700 });
});
afterEach(() => {
  // It is empty.
  rmdirSync(memory);
});

const command = "sealaunch edit dns CF_TOKEN --identity operator.identity";
const value = (): string =>
  expectDone(place.run("sealaunch open dns CF_TOKEN --identity operator.identity", here));

/** A script that is an editor, as a command for EDITOR. */
function editor(script: string): string {
  const path = join(here, "editor");
  writeFileSync(path, `#!/bin/sh\nset -eu\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe("sealaunch edit in Vim", () => {
  // Yanked, put, changed: what Vim would remember, and undo.
  const keys = "-c 'normal yypccgiraffe' -c wq";

  /** The files below the home directory that have one of the values. */
  const kept = (): string =>
    place.run(`grep -rlE 'correct horse|giraffe' '${place.home}'`, here).stdout;

  const configured = [
    ...["set undofile undodir=$HOME/undo", "set backup writebackup backupdir=$HOME/backup"],
    ...["set swapfile directory=$HOME/swap updatecount=1", "set viminfo='100,<50"],
  ];
  beforeEach(() => {
    for (const name of ["undo", "backup", "swap"]) {
      mkdirSync(join(place.home, name), { recursive: true });
    }
    writeFileSync(join(place.home, ".vimrc"), `${configured.join("\n")}\n`);
  });

  it("leaves nothing of the value in the home directory, however Vim is configured", () => {
    const swapped = "-c 'preserve' -c '!ls -A $HOME/swap >swapped'";
    const vim = `vim -T dumb --not-a-term ${swapped} ${keys}`;
    // What it leaves by itself.
    writeFileSync(join(here, "animals"), "correct horse\n");
    place.run(`${vim} animals`, here);
    expect(kept()).toMatch(/^(?=[^]*\/\.viminfo$)(?=[^]*\/backup\/)(?=[^]*\/undo\/)/mu);
    expect(readFileSync(join(here, "swapped"), "utf8")).toContain("animals");
    place.run("rm -r ~/.viminfo ~/backup/* ~/undo/*", here);

    expectDone(place.run(`XDG_RUNTIME_DIR=${memory} EDITOR="${vim}" ${command}`, here));
    expect(value()).toBe("correct horse battery staple\ngiraffe");
    expect(readFileSync(join(here, "swapped"), "utf8")).toBe("");
    expect(kept()).toBe("");
  });

  it("gives those words to no other editor, whatever it is called", () => {
    for (const name of ["nvi", "vi", "vim"]) {
      const told = join(here, "told");
      const path = join(here, name);
      writeFileSync(path, `#!/bin/sh\n[ "$1" != --version ] || exit 1\necho $# >${told}\n`);
      chmodSync(path, 0o755);
      expectDone(place.run(`XDG_RUNTIME_DIR=${memory} VISUAL=${path} ${command}`, here));
      expect(readFileSync(told, "utf8")).toBe("1\n");
    }
  });
});

describe("sealaunch edit", () => {
  it("gives the editor the terminal where the identity came on standard input", async () => {
    const path = editor('read -r word; printf %s "$word" >"$1"; echo written');
    const piped = `cat operator.identity | XDG_RUNTIME_DIR=${memory} EDITOR='echo name it; ${path}' sealaunch edit dns CF_TOKEN --identity -`;
    const { status } = await atTerminal(place, here, piped, ["name it", "zebra\r"]);
    expect(status).toBe(0);
    expect(value()).toBe("zebra");
  });

  it("has nothing lie where somebody else could put something in its place", () => {
    const told = join(here, "told");
    chmodSync(memory, 0o777);
    const path = editor(`echo "$1" >${told}; printf zebra >"$1"`);
    expectDone(place.run(`XDG_RUNTIME_DIR=${memory} EDITOR=${path} ${command}`, here));
    expect(readFileSync(told, "utf8")).toMatch(/^\/dev\/shm\/sealaunch-edit-[^/]+\/CF_TOKEN$/mu);
    expect(readdirSync(memory)).toEqual([]);
  });
});
