import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exitStatus, failures, type FailureCode } from "../../../src/failure.ts";
import { TestNode } from "../../fixtures/node.ts";
import { refusalLines, type Ended } from "../../fixtures/program.ts";

// `run --plain` is for people who aren't root, so these tests become nobody.

let node: TestNode;
let directory: string;
/** The program, at a place that nobody can read too, wherever the checkout is. */
const program = "/srv/bin/sealaunch";
beforeAll(async () => {
  node = await TestNode.create();
  const repository = join(import.meta.dirname, "../../..");
  await node.ok("/bin/mount", ["--bind", repository, "/srv"]);
  directory = "/dev/shm/sealaunch-plain";
  await mkdir(directory);
  await writeFile(join(directory, "CF_TOKEN"), "canary");
  await writeFile(join(directory, "NUL"), "a\0b");
  await mkdir(join(directory, "folder"));
  for (const path of [directory, join(directory, "CF_TOKEN")]) await chmod(path, 0o755);
});
afterAll(async () => {
  await node.ok("/bin/rm", ["-r", directory]);
  await node[Symbol.asyncDispose]();
});

const become = ["--reuid=65534", "--regid=65534", "--clear-groups", "--"];
const asNobody = (args: readonly string[], environment = {}): Promise<Ended> =>
  node.run("/usr/bin/setpriv", [...become, program, ...args], { environment, cwd: "/dev/shm" });
const plain = (options: readonly string[], command: readonly string[]): Promise<Ended> =>
  asNobody(["run", "--plain", directory, ...options, "--", ...command], { KEPT: "it's\nkept" });

const warning =
  "warning: credentials come from /dev/shm/sealaunch-plain, sealed by nobody: for local work only\n";

function expectRefused({ stderr, stdout, status }: Ended, code: FailureCode, text: RegExp): void {
  expect(stderr).toMatch(refusalLines);
  expect(stderr).toMatch(text);
  expect(stdout.toString()).toBe("");
  expect(status).toBe(exitStatus[failures[code][0]]);
}

describe("a plain launch", () => {
  it("hands over the files of a directory, and says that nobody has sealed them", async () => {
    const script =
      'echo "$CREDENTIALS_DIRECTORY"; cat "$CREDENTIALS_DIRECTORY/CF_TOKEN"; echo; echo "$TOKEN $KEPT $HOME"';
    const { stdout, stderr, status } = await plain(
      ["--env", "TOKEN=CF_TOKEN", "--bundle", "dns@3+", "--credential", "CF_TOKEN"],
      ["/bin/sh", "-c", script],
    );
    expect(stdout.toString()).toBe(`${directory}\ncanary\ncanary it's\nkept \n`);
    expect({ stderr, status }).toEqual({ stderr: warning, status: 0 });
  });

  it("takes a directory by a path from where it is started", async () => {
    const args = [
      "run",
      "--plain=sealaunch-plain",
      "--",
      "/bin/sh",
      "-c",
      "pwd; echo $CREDENTIALS_DIRECTORY",
    ];
    const { stdout } = await asNobody(args);
    expect(stdout.toString()).toBe(`/dev/shm\n${directory}\n`);
  });

  it("is the program, with its arguments and status", async () => {
    const { stdout, status } = await plain(
      [],
      ["/bin/sh", "-c", 'echo "$1|$2"; exit 7', "x", "", "a  b"],
    );
    expect(stdout.toString()).toBe("|a  b\n");
    expect(status).toBe(7);
  });

  it("finds the program by the service's own PATH, or by its path from where it is started", async () => {
    const byName = await plain([], ["sh", "-c", "echo found"]);
    expect(byName.stdout.toString()).toBe("found\n");
    await writeFile(join(directory, "service"), "#!/bin/sh\necho found\n", { mode: 0o755 });
    const byPath = await plain([], ["sealaunch-plain/service"]);
    expect(byPath.stdout.toString()).toBe("found\n");
  });

  it.for(["/srv/bin/absent", "sealaunch-absent", "/srv/bin", "sealaunch-plain/NUL"])(
    "is refused without a program: %s",
    async (absent) => {
      expectRefused(
        await plain([], [absent]),
        "program/not-executable",
        new RegExp(`^error: ${absent} is no program that can be run$`, "mu"),
      );
    },
  );

  it("is refused to root", async () => {
    const ended = await node.run(program, ["run", "--plain", directory, "--", "/bin/true"]);
    expectRefused(ended, "privileges/unwanted", /root/u);
  });

  it("refuses what isn't there, or can't be a variable", async () => {
    expectRefused(
      await plain(["--credential", "OTHER"], ["/bin/true"]),
      "credential/missing",
      /OTHER[^]+hint: put it there, as a file of that name/u,
    );
    expectRefused(
      await plain(["--env", "OTHER"], ["/bin/true"]),
      "credential/missing",
      /OTHER[^]+hint: put it there, as a file of that name/u,
    );
    expectRefused(
      await plain(["--env", "X=folder"], ["/bin/true"]),
      "credential/missing",
      /folder/u,
    );
    const ended = await plain(["--env", "NUL"], ["/bin/true"]);
    expectRefused(ended, "credential/not-for-environment", /NUL byte/u);
    const nowhere = await asNobody(["run", "--plain", "/nowhere", "--", "/bin/true"]);
    expectRefused(nowhere, "credential/missing", /\/nowhere\nhint: make it/u);
  });
});

describe("making this machine a node", () => {
  it("is refused to who isn't root, before its host key is asked for", async () => {
    expectRefused(
      await asNobody(["identity", "create", "--into", "/etc/sealaunch"]),
      "privileges/needed",
      /only root may make this machine a node[^]+hint: run it with sudo/u,
    );
  });
});

describe("run", () => {
  it.each([
    [["run", "--", "/bin/true"], /doesn't say how to launch/u],
    [["run", "--in-place", "--user", "nobody", "/bin/true"], /no '--'/u],
    [["run", "--plain", "/dev/shm"], /no '--'/u],
    [["run", "--plain", "/dev/shm", "--"], /no program/u],
  ])("is a wrong command line: %j", async (args, text) => {
    expectRefused(await asNobody(args), "usage/invalid", text);
  });

  it("shows its help, whatever else is said", async () => {
    for (const args of [["--help"], ["--in-place", "--help", "--", "/bin/true"]]) {
      const { stdout, status } = await asNobody(["run", ...args]);
      expect(stdout.toString()).toContain("Usage: sealaunch run [--in-place | --plain DIR]");
      expect(status).toBe(0);
    }
  });
});
