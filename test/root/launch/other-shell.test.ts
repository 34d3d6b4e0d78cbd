import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sealaunchPath } from "../../fixtures/program.ts";
import { TestNode } from "../../fixtures/node.ts";

// Debian's sh is dash; elsewhere it is bash, which takes options and functions from its environment.

let node: TestNode;
beforeAll(async () => {
  node = await TestNode.create();
  await node.ok("/bin/mount", ["--bind", "/bin/bash", "/bin/dash"]);
});
afterAll(() => node[Symbol.asyncDispose]());

const launch = [sealaunchPath, "run", "--in-place", "--user", "nobody", "--"];

/** The environment of a program started by `env -i …`, as one sorted line a variable. */
async function environment(assignments: string, before: readonly string[]): Promise<string[]> {
  const script = `exec /usr/bin/env -i ${assignments} "$@"`;
  const program = [`${node.busybox}/bin/cat`, "/proc/self/environ"];
  const shown = await node.ok("/bin/busybox", ["sh", "-c", script, "sh", ...before, ...program]);
  const asked = /^(?:CREDENTIALS_DIRECTORY|HOME|USER|LOGNAME|SHELL)=/u;
  return shown
    .split("\0")
    .filter((line) => line !== "" && !asked.test(line))
    .toSorted();
}

describe("where sh is bash", () => {
  it("is bash", async () => {
    expect(await node.ok("/bin/sh", ["-c", 'echo "$BASH_VERSION"'])).toMatch(/^\d/u);
  });

  it.each([
    "",
    "PWD=/wrong OLDPWD=/x SHLVL=9 _=/y IFS=: PS1=a PS2=b PS4=c OPTIND=2 PPID=7",
    "UID=1 EUID=2 GROUPS=3 RANDOM=4 SECONDS=5 LINENO=6 DIRSTACK=7 FUNCNAME=8 HISTCMD=9",
    "BASH_VERSION=1 BASHPID=2 BASH_ENV=/x ENV=/y POSIXLY_CORRECT=1 SHELLOPTS=xtrace:allexport BASHOPTS=",
    "sealaunch_plan=x a.b=c",
    `"RAW=$(printf '\\377\\200')" "QUOTES=it's" "LINES=a
b" LC_ALL=C.UTF-8`,
  ])("gives the service its environment: %s", async (assignments) => {
    expect(await environment(assignments, launch)).toEqual(await environment(assignments, []));
  });

  it("traces nothing, whatever the environment says", async () => {
    const { stderr, status } = await node.inPlace(
      ["--user", "nobody"],
      [`${node.busybox}/bin/id`],
      { environment: { SHELLOPTS: "xtrace:allexport", PS4: "TRACE" } },
    );
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  });

  it.each(["keyword", "noclobber", "keyword:noclobber:monitor:errtrace:functrace"])(
    "prints nothing of its own where the environment switches on %s",
    async (options) => {
      const words = ["sh", "-c", "id -un; cat /proc/self/coredump_filter"];
      const program = [`${node.busybox}/bin/busybox`, ...words];
      const shown = await Promise.all(
        [{}, { SHELLOPTS: options }].map((environment) =>
          node.inPlace(["--user", "nobody"], program, { environment }),
        ),
      );
      const [without, asked] = shown.map(({ stdout, stderr, status }) => ({
        stdout: stdout.toString(),
        stderr,
        status,
      }));
      expect(asked).toEqual(without);
      expect(without?.stdout).toMatch(/^nobody\n/u);
    },
  );

  it.each(["", "noclobber"])(
    "has no memory in its core dumps while it prepares: %s",
    async (options) => {
      const program = [`${node.busybox}/bin/busybox`, "true"];
      const [command = "", ...words] = [...launch, ...program];
      const { process, ended } = node.start(command, words, {
        environment: { SHELLOPTS: options },
      });
      const seen = new Set<string>();
      while (process.exitCode === null) {
        const filter = `/proc/${String(process.pid)}/coredump_filter`;
        seen.add((await readFile(filter, "utf8").catch(() => "")).trim());
      }
      expect(await ended).toMatchObject({ stderr: "", status: 0 });
      expect(seen).toContain("00000000");
    },
  );

  it("runs no function that the environment brings", async () => {
    const names = [
      "[",
      "read",
      "printf",
      "unset",
      "set",
      "shift",
      "eval",
      "exec",
      "kill",
      "true",
      "ulimit",
      "wait",
    ];
    const functions = names.map((name) => [`BASH_FUNC_${name}%%`, "() { echo evil >&2; }"]);
    const { stderr, status } = await node.inPlace(
      ["--user", "nobody"],
      [`${node.busybox}/bin/id`],
      { environment: Object.fromEntries(functions) as Record<string, string> },
    );
    expect(stderr).toMatch(/^error: .*BASH_FUNC_.*\nhint: /u);
    expect(stderr).not.toContain("evil");
    expect(status).toBe(77);
  });
});
