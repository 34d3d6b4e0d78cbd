import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
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

/** A file of the person's SSH key. */
const key = (name: string): string => join(place.home, ".ssh", name);

describe("sealaunch edit in Vim", () => {
  // Yanked, put, changed: what Vim would remember, and undo.
  const keys = "-c 'normal yypccgiraffe' -c wq";

  /** The files below the home directory that have one of the values. */
  const kept = (): string =>
    place.run(`grep -rlE 'correct horse|giraffe' '${place.home}'`, here).stdout;

  const configured = [
    ...["set undofile undodir=$HOME/undo", "set backup writebackup backupdir=$HOME/backup"],
    // By itself it backs up nothing of /tmp.
    ...[
      "set backupskip=",
      "set swapfile directory=$HOME/swap updatecount=1",
      "set viminfo='100,<50",
    ],
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

  it("waits for no editor where none is named and there is no terminal", () => {
    const unnamed = `XDG_RUNTIME_DIR=${memory} VISUAL= EDITOR= ${command} </dev/null`;
    const { stderr } = expectRefused(place.run(unnamed, here), "editor/failed");
    expect(stderr).toContain("standard input is no terminal");
    expect(readdirSync(memory)).toEqual([]);
  });

  it("has nothing lie where somebody else could put something in its place", () => {
    const told = join(here, "told");
    chmodSync(memory, 0o777);
    const path = editor(`echo "$1" >${told}; printf zebra >"$1"`);
    expectDone(place.run(`XDG_RUNTIME_DIR=${memory} EDITOR=${path} ${command}`, here));
    expect(readFileSync(told, "utf8")).toMatch(/^\/dev\/shm\/sealaunch-edit-[^/]+\/CF_TOKEN$/mu);
    expect(readdirSync(memory)).toEqual([]);
  });

  it("says of what it seals when that was, not when the editor began", () => {
    const path = editor(`sleep 1.1; date -u +%Y-%m-%dT%H:%M:%SZ >${here}/told; printf zebra >"$1"`);
    expectDone(place.run(`XDG_RUNTIME_DIR=${memory} EDITOR=${path} ${command}`, here));
    const { created } = JSON.parse(
      readFileSync(join(here, "secrets/bundles/dns/0.3/statement.json"), "utf8"),
    ) as { created: string };
    expect(Date.parse(created)).toBeGreaterThanOrEqual(
      Date.parse(readFileSync(join(here, "told"), "utf8").trim()),
    );
  });

  describe("that can't sign what was edited", () => {
    const question = "try again, with what was edited?";
    const asked = (): string => {
      const path = editor(`mv ${key("id_ed25519")} ${key("id_ed25519.away")}; printf zebra >"$1"`);
      return `stty cols 400 2>/dev/null; XDG_RUNTIME_DIR=${memory} EDITOR=${path} ${command}`;
    };
    const back = (): void => {
      if (existsSync(key("id_ed25519.away"))) {
        renameSync(key("id_ed25519.away"), key("id_ed25519"));
      }
    };
    afterEach(back);

    it("asks, with nothing of it in a file, and seals it once that is mended", async () => {
      const mend = (): void => {
        expect(readdirSync(memory)).toEqual([]);
        back();
      };
      const { status, shown } = await atTerminal(place, here, asked(), [question, "y\r", mend]);
      expect([status, shown.includes("zebra")]).toEqual([0, false]);
      expect(value()).toBe("zebra");
    });

    it("ends with why, and seals nothing, on a no and where nobody can be asked", async () => {
      const { status, shown } = await atTerminal(place, here, asked(), [question, "n\r", back]);
      expect(status).toBe(71);
      expect(shown).toContain("error: ssh-keygen didn't sign with");
      expectRefused(place.run(asked(), here), "signer/failed");
      back();
      expect(value()).toBe("correct horse battery staple");
    });
  });

  it("seals what was edited above another credential that is sealed at the same moment", () => {
    // ssh-keygen asks for the passphrase after the newest generation was read, and before the next is written.
    expectDone(place.run("ssh-keygen -q -t ed25519 -N passphrase -C carla -f carla", here));
    expectDone(place.run("sealaunch roster add-signer carla carla.pub --name dns --yes", here));
    const asker = editor(
      `[ -e ${here}/told ] || sealaunch seal dns --generate SESSION_KEY --signer ${key("id_ed25519.pub")} >${here}/told
echo passphrase`,
    );
    const environment = `XDG_RUNTIME_DIR=${memory} SSH_ASKPASS=${asker} SSH_ASKPASS_REQUIRE=force`;
    const edited = `EDITOR='sed -i s/.*/zebra/' ${command} --signer carla.pub`;
    expect(expectDone(place.run(`${environment} ${edited}`, here))).toContain("sealed dns 4");
    expect(readFileSync(join(here, "told"), "utf8")).toContain("sealed dns 3");
    expect(value()).toBe("zebra");
  });
});
