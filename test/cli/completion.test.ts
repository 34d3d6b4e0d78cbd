import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
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

/** What bash would offer at the end of what is typed, with what is printed for it and nothing besides. */
async function inBash(typed: string): Promise<string[]> {
  const { stdout } = await sealaunch(["completion", "bash"], { cwd: "/" });
  const script = `set -u\n${stdout.toString()}
    COMP_LINE=$1 COMP_POINT=\${#1}
    _sealaunch
    printf '%s\\n' \${COMPREPLY[@]+"\${COMPREPLY[@]}"}`;
  const found = execFileSync("bash", ["--norc", "-c", script, "bash", typed], {
    cwd: directory,
    env: { PATH: `${dirname(sealaunchPath)}:${cleanEnvironment.PATH}` },
    encoding: "utf8",
  });
  return found.split("\n").filter((line) => line !== "");
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
