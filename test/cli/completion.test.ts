import { execFileSync } from "node:child_process";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
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

describe("completion", () => {
  it("suggests commands, the words after them, and options", async () => {
    expect(await suggested("")).toContain("seal");
    expect(await suggested("")).not.toContain("complete");
    expect(await suggested("roster", "add-n")).toEqual(["add-node"]);
    expect(await suggested("seal", "--from-env-")).toEqual(["--from-env-file"]);
    expect(await suggested("completion", "")).toEqual(["bash", "zsh", "fish"]);
  });

  it("works in bash, from what is printed for it", async () => {
    const { stdout } = await sealaunch(["completion", "bash"], { cwd: "/" });
    const script = `
      _get_comp_words_by_ref() { cur=add-s; prev=roster; words=(sealaunch roster add-s); cword=2; }
      ${stdout.toString()}
      COMP_WORDS=(sealaunch roster add-s); COMP_CWORD=2
      compopt() { :; }
      $(complete -p sealaunch | sed -n 's/.*-F \\([^ ]*\\).*/\\1/p')
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const path = `${dirname(sealaunchPath)}:${cleanEnvironment.PATH}`;
    const found = execFileSync("bash", ["-c", script], { env: { PATH: path }, encoding: "utf8" });
    expect(found).toContain("add-signer");
  });

  it("refuses a shell that it doesn't know, and names those that it does", async () => {
    const { status, stderr } = await sealaunch(["completion", "tcsh"], { cwd: "/" });
    expect(stderr).toMatch(/^error: [^\n]*bash, zsh, fish[^\n]*\nhint: /u);
    expect(status).toBe(64);
  });
});
