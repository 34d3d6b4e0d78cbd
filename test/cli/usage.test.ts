import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import packageFile from "../../package.json" with { type: "json" };
import { firstSteps } from "../../src/cli/first-steps.ts";
import { refusalLines, sealaunch } from "../fixtures/program.ts";

const cwd = tmpdir();

describe("sealaunch", () => {
  it("alone teaches the first five minutes", async () => {
    const { status, stdout, stderr } = await sealaunch([], { cwd });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout.toString()).toBe(firstSteps);
  });

  it("tells its version", async () => {
    const { status, stdout } = await sealaunch(["--version"], { cwd });
    expect(status).toBe(0);
    expect(stdout.toString()).toBe(`${packageFile.version}\n`);
  });

  it("prints help on standard output", async () => {
    const { status, stdout, stderr } = await sealaunch(["seal", "--help"], { cwd });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout.toString()).toMatch(
      /\nExamples:\n {2}sealaunch seal [^]*\nRuns on: .+\nNeeds: /u,
    );
  });
});

describe("a wrong command line", () => {
  it.for([
    [["opne"], "unknown command 'opne'", "did you mean open?"],
    [["seal", "dns", "--pol", "web"], "unknown option --pol", "did you mean --pool?"],
    [["seal"], "missing required argument 'name'", "'sealaunch seal --help'"],
    [
      ["seal", "dns", "--pool"],
      "option '--pool <pool>' argument missing",
      "'sealaunch seal --help'",
    ],
    [
      ["open", "dns"],
      "required option '--identity <file>' not specified",
      "'sealaunch open --help'",
    ],
    [["--json", "--", "--help"], "unknown command '--help'", "'sealaunch --help'"],
    [["sync", "--mirror", ""], "--mirror is given an empty word", "a variable that isn't set"],
    [["roster", "show", "--config", ""], "--config is given an empty word", "leave the option out"],
    [["deploy", "x.json", "--node", "n1", "--node", ""], "--node is given an empty word", "set it"],
    [["unit"], "there is neither a service file nor --wrap", "sealaunch unit SERVICE.json"],
  ] as const)("%j is refused with what mends it", async ([args, error, hint]) => {
    const { status, stdout, stderr } = await sealaunch(args, { cwd });
    expect([status, stdout.toString()]).toEqual([64, ""]);
    expect(stderr).toContain(error);
    expect(stderr).toContain(hint);
    if (!(args as readonly string[]).includes("--json")) expect(stderr).toMatch(refusalLines);
  });

  it.for([
    [["inspect", "dns", "hunter2"]],
    [["seal", "dns", "--token=hunter2"]],
    [["seal", "dns", "-phunter2"]],
    [["open", "dns", "TOKEN", "hunter2", "--identity", "x"]],
  ] as const)("%j isn't repeated where it may hold a secret", async ([args]) => {
    const { status, stdout, stderr } = await sealaunch(args, { cwd });
    expect(status).toBe(64);
    expect(stderr).toMatch(refusalLines);
    expect(stdout.toString() + stderr).not.toContain("hunter2");
  });

  it("is told to programs as JSON", async () => {
    const { status, stderr } = await sealaunch(["seal", "--json"], { cwd });
    expect(status).toBe(64);
    expect(JSON.parse(stderr)).toEqual({
      code: "usage/invalid",
      message: "missing required argument 'name'",
      hint: "see 'sealaunch seal --help'",
    });
  });
});
