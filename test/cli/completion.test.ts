import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { cleanEnvironment, sealaunch, sealaunchPath } from "../fixtures/program.ts";

/** What may follow the words, without what is said of it. */
async function suggested(...words: readonly string[]): Promise<string[]> {
  const { status, stdout, stderr } = await sealaunch(["complete", "--", ...words], { cwd: "/" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  const lines = stdout.toString().trimEnd().split("\n");
  // The last line tells the shell what else to do.
  expect(lines.pop()).toMatch(/^:\d+$/u);
  return lines.map((line) => line.split("\t", 1)[0] ?? "");
}

const directory = mkdtempSync(join(tmpdir(), "sealaunch-completion-"));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const onPath = `${dirname(sealaunchPath)}:${cleanEnvironment.PATH}`;

/** What bash would offer at the end of what is typed, with what is printed for it and nothing besides. */
async function inBash(typed: string): Promise<string[]> {
  const { stdout } = await sealaunch(["completion", "bash"], { cwd: "/" });
  const script = `set -u\n${stdout.toString()}
    COMP_LINE=$1 COMP_POINT=\${#1}
    _sealaunch
    printf '%s\\n' \${COMPREPLY[@]+"\${COMPREPLY[@]}"}`;
  const found = execFileSync("bash", ["--norc", "-c", script, "bash", typed], {
    cwd: directory,
    env: { PATH: onPath },
    encoding: "utf8",
  });
  return found.split("\n").filter((line) => line !== "");
}

const zshBeginnings = {
  "read by a person's .zshrc":
    "autoload -Uz compinit && compinit -u -D; source ./functions/_sealaunch",
  "lying where a package puts it":
    "fpath=($PWD/functions $fpath); autoload -Uz compinit && compinit -u -D",
};

/** What zsh has on its line after a tab at the end of what is typed, as somebody sees it at a terminal. */
async function inZsh(typed: string, how: keyof typeof zshBeginnings): Promise<string> {
  const { stdout } = await sealaunch(["completion", "zsh"], { cwd: "/" });
  const told = join(directory, ".told");
  const begin = `${zshBeginnings[how]}
    show() { print -rn -- "$BUFFER" >.told; exit }
    zle -N show; bindkey ^X show\n`;
  writeFileSync(join(directory, ".zshrc"), begin);
  mkdirSync(join(directory, "functions"), { recursive: true });
  writeFileSync(join(directory, "functions/_sealaunch"), stdout);
  execFileSync("script", ["-qec", "zsh -i", "/dev/null"], {
    cwd: directory,
    env: { PATH: onPath, TERM: "dumb", ZDOTDIR: directory, SHELL: "/bin/sh" },
    input: `${typed}\t\x18`,
  });
  return readFileSync(told, "utf8").trimEnd();
}

/** What fish offers at the end of what is typed, without what is said of it. */
async function inFish(typed: string): Promise<string[]> {
  const { stdout } = await sealaunch(["completion", "fish"], { cwd: "/" });
  const script = `${stdout.toString()}\ncomplete -C $argv[1]`;
  const found = execFileSync("fish", ["--no-config", "-c", script, typed], {
    cwd: directory,
    env: { PATH: onPath, HOME: directory },
    encoding: "utf8",
  });
  const lines = found.split("\n").filter((line) => line !== "");
  return lines.map((line) => line.split("\t", 1)[0] ?? "");
}

describe("completion", () => {
  it("suggests commands, the words after them, and options", async () => {
    expect(await suggested("")).toContain("seal");
    expect(await suggested("")).not.toContain("complete");
    expect(await suggested("roster", "add-n")).toEqual(["add-node"]);
    expect(await suggested("seal", "--from-env-")).toEqual(["--from-env-file"]);
    expect(await suggested("completion", "")).toEqual(["bash", "zsh", "fish"]);
  });

  it.for([
    ["roster add-s", ["add-signer"]],
    ["unit --for ", ["systemd", "fleet", "pacemaker", "nomad", "marathon"]],
    ["unit --for=no", ["nomad"]],
    ["seal dns --pool web --from-env-", ["--from-env-file"]],
    ["seal dns A=tok", []],
    ["seal dns $(touch ran) `touch ran` ; touch ran; --from-env-", ["--from-env-file"]],
  ] as const)(
    "in bash, of '%s' is %j, and nothing that is typed is run",
    async ([typed, expected]) => {
      expect(await inBash(`sealaunch ${typed}`)).toEqual(expected);
      expect(existsSync(join(directory, "ran"))).toBe(false);
    },
  );

  it.for([
    ["roster add-s", "roster add-signer"],
    ["unit --for no", "unit --for nomad"],
    ["unit --for=no", "unit --for=nomad"],
    ["unit a-f", String.raw`unit a-file\ with:blanks.json`],
    ["open dns --identity=a-f", String.raw`open dns --identity=a-file\ with:blanks.json`],
    [
      `seal dns $(touch ran) "$(touch ran)" --from-env-`,
      `seal dns $(touch ran) "$(touch ran)" --from-env-file`,
    ],
  ] as const)(
    "in zsh, '%s' becomes '%s', and nothing that is typed is run",
    async ([typed, expected]) => {
      writeFileSync(join(directory, "a-file with:blanks.json"), "");
      const how = "read by a person's .zshrc";
      expect(await inZsh(`sealaunch ${typed}`, how)).toBe(`sealaunch ${expected}`);
      expect(existsSync(join(directory, "ran"))).toBe(false);
    },
  );

  it("in zsh works from the first tab where a package has put it", async () => {
    const how = "lying where a package puts it";
    expect(await inZsh("sealaunch roster add-s", how)).toBe("sealaunch roster add-signer");
  });

  it.for([
    ["roster add-s", ["add-signer"]],
    ["unit --for no", ["nomad"]],
    ["unit --for=no", ["--for=nomad"]],
    ["unit a-f", ["a-file with:blanks.json"]],
    ["open dns --identity=a-f", ["--identity=a-file with:blanks.json"]],
    [`seal dns (touch ran) "$(touch ran)" --from-env-`, ["--from-env-file"]],
  ] as const)(
    "in fish, of '%s' is %j, and nothing that is typed is run",
    async ([typed, expected]) => {
      writeFileSync(join(directory, "a-file with:blanks.json"), "");
      expect(await inFish(`sealaunch ${typed}`)).toEqual(expected);
      expect(existsSync(join(directory, "ran"))).toBe(false);
    },
  );

  it("can be read by bash twice, and leaves files to bash", async () => {
    const { stdout } = await sealaunch(["completion", "bash"], { cwd: "/" });
    const script = `set -eu; ${stdout.toString()}\n${stdout.toString()}\ncomplete -p sealaunch`;
    const {
      status,
      stdout: said,
      stderr,
    } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
    expect([status, said, stderr]).toEqual([
      0,
      "complete -o default -F _sealaunch sealaunch\n",
      "",
    ]);
  });

  it("refuses a shell that it doesn't know, and names those that it does", async () => {
    const { status, stderr } = await sealaunch(["completion", "tcsh"], { cwd: "/" });
    expect(stderr).toMatch(/^error: [^\n]*bash, zsh, fish[^\n]*\nhint: /u);
    expect(status).toBe(64);
  });
});
