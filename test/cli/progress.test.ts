import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, it } from "vitest";
import { LargeCluster } from "../fixtures/large-cluster.ts";
import { cleanEnvironment, sealaunchPath } from "../fixtures/program.ts";

let cluster: LargeCluster;
beforeAll(() => {
  cluster = new LargeCluster({ nodes: 2, pools: 1, bundles: 20, generations: 1 });
});
afterAll(() => {
  cluster[Symbol.dispose]();
});

/** Each file that is opened takes that many milliseconds more, so that it takes seconds on any machine. */
const slowed = (ms: number): string =>
  `strace -f -qqq -o /dev/null -e trace=openat -e inject=openat:delay_exit=${String(ms * 1000)}`;

async function run(
  program: string,
  args: readonly string[],
): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(program, args, {
    cwd: cluster.directory,
    env: {
      ...cleanEnvironment,
      PATH: `${dirname(sealaunchPath)}:${cleanEnvironment.PATH}`,
      XDG_STATE_HOME: join(cluster.directory, "state"),
    },
  });
}

/** What a terminal (script(1)) is sent. */
const atTerminal = async (command: string): Promise<string> =>
  (await run("script", ["-qec", command, "/dev/null"])).stdout;

const progress = /bundle \d+ of 20/u;

describe.concurrent("a command that goes on for over a second", () => {
  it("says at a terminal how far it is, and takes it away before its result", async ({
    expect,
  }) => {
    const shown = await atTerminal(`${slowed(3)} sealaunch verify`);
    expect(shown).toMatch(progress);
    const [, result = ""] = shown.split(/^.*of 20\x1b\[1G\x1b\[2K/msu);
    expect(result).toMatch(/^object +generation +what\r\n/u);
    expect(result).not.toMatch(progress);
  });

  it("says nothing of it where standard error is no terminal", async ({ expect }) => {
    const { stdout, stderr } = await run("sh", ["-c", `exec ${slowed(3)} sealaunch verify`]);
    expect(stderr).toBe("");
    expect(stdout).not.toMatch(progress);
  });

  it("says it also where a node is removed from a large cluster", async ({ expect }) => {
    const command = "sealaunch roster remove-node n1 --signer ann --dry-run";
    expect(await atTerminal(`${slowed(9)} ${command}`)).toMatch(progress);
  });

  it("says nothing of it where it takes no second", async ({ expect }) => {
    expect(await atTerminal("sealaunch verify app/b1")).not.toMatch(/ of /u);
  });
});
