import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LargeCluster } from "../fixtures/large-cluster.ts";
import { cleanEnvironment, sealaunchPath } from "../fixtures/program.ts";

let cluster: LargeCluster;
beforeAll(() => {
  cluster = new LargeCluster({ nodes: 2, pools: 1, bundles: 20, generations: 1 });
});
afterAll(() => {
  cluster[Symbol.dispose]();
});

// Each file that is opened takes 3 ms more, so that 20 bundles take over a second on any machine.
const slow = "strace -f -qqq -o /dev/null -e trace=openat -e inject=openat:delay_exit=3000";

function run(program: string, args: readonly string[]): { stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: cluster.directory,
    encoding: "utf8",
    env: {
      ...cleanEnvironment,
      PATH: `${dirname(sealaunchPath)}:${cleanEnvironment.PATH}`,
      XDG_STATE_HOME: join(cluster.directory, "state"),
    },
  });
  expect(status).toBe(0);
  return { stdout, stderr };
}

/** What a terminal (script(1)) is sent. */
const atTerminal = (command: string): string =>
  run("script", ["-qec", command, "/dev/null"]).stdout;

const progress = /bundle \d+ of 20/u;

describe("a command that goes on for over a second", () => {
  it("says at a terminal how far it is, and takes it away before its result", () => {
    const shown = atTerminal(`${slow} sealaunch verify`);
    expect(shown).toMatch(progress);
    const [, result = ""] = shown.split(/^.*of 20\x1b\[1G\x1b\[2K/msu);
    expect(result).toMatch(/^object +generation +what\r\n/u);
    expect(result).not.toMatch(progress);
  });

  it("says nothing of it where standard error is no terminal", () => {
    const { stdout, stderr } = run("sh", ["-c", `exec ${slow} sealaunch verify`]);
    expect(stderr).toBe("");
    expect(stdout).not.toMatch(progress);
  });

  it("says it also where a node is removed from a large cluster", () => {
    expect(atTerminal(`${slow} sealaunch roster remove-node n1 --signer ann --dry-run`)).toMatch(
      progress,
    );
  });

  it("says nothing of it where it takes no second", () => {
    expect(atTerminal("sealaunch verify app/b1")).not.toMatch(/ of /u);
  });
});
