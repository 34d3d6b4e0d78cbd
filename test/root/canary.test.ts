import { execFileSync } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { searchPlaintext } from "../../script/search-plaintext.ts";
import { existsSync, rmSync } from "node:fs";
import { CorePattern } from "../fixtures/core-pattern.ts";
import { TestCluster } from "../fixtures/cluster.ts";
import { TestNode, type Started } from "../fixtures/node.ts";
import { refusalLines, type Ended } from "../fixtures/program.ts";
import { chance, count } from "../soak.ts";

const canary = Buffer.from(`canary-${randomBytes(18).toString("hex")}`);

let node: TestNode;
let cluster: TestCluster;
let cores: string;
let pattern: CorePattern;
beforeAll(async () => {
  node = await TestNode.create();
  cluster = await TestCluster.create();
  await cluster.withBundle({}, { TOKEN: canary });
  await node.join(cluster);
  cores = join(node.directory, "cores");
  await mkdir(cores, { mode: 0o777 });
  pattern = await CorePattern.set(`${cores}/%p`);
});
afterAll(async () => {
  await pattern[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});

/** Everywhere that a secret could have been left: disk, store, temporary and memory directories. */
function places(): string[] {
  return [
    node.directory,
    cluster.directory,
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "/run",
    "/var/lib/sealaunch",
    "/etc/sealaunch",
  ];
}

async function expectNowhere(ended: Ended, except: readonly string[] = []): Promise<void> {
  expect(await searchPlaintext(canary, places(), { except, processes: true })).toEqual([]);
  expect(ended.stdout.includes(canary)).toBe(false);
  expect(ended.stderr.includes(canary.toString())).toBe(false);
}

/** Waits until `holds` does. */
async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    if (await holds()) return;
    await pause(10);
  }
  throw new Error("what was waited for never held");
}

/** A service that says that it is there, and then waits until it is stopped. */
const waiting = (): string[] => [
  `${node.busybox}/bin/sh`,
  "-c",
  "echo ready; exec /bin/sleep 1000",
];

async function untilReady({ process }: Started): Promise<void> {
  let output = "";
  process.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await until(() => output.includes("ready") || process.exitCode !== null);
}

describe("a secret", () => {
  it("is found by the search wherever it is planted", async () => {
    const plain = join(node.directory, "planted");
    await writeFile(plain, Buffer.concat([Buffer.alloc(1 << 20), canary]));
    const encoded = join(node.directory, "planted.base64");
    await writeFile(encoded, Buffer.concat([Buffer.from("ab"), canary]).toString("base64"));
    const argument = node.start("/bin/sh", ["-c", "while sleep 1; do :; done", canary.toString()]);
    try {
      const found = await searchPlaintext(canary, places(), { processes: true });
      expect(found).toEqual(expect.arrayContaining([plain, encoded]));
      expect(found.some((place) => /^\/proc\/\d+\/cmdline$/u.test(place))).toBe(true);
    } finally {
      argument.process.kill("SIGKILL");
      await rm(plain);
      await rm(encoded);
      await argument.ended;
    }
  });

  it("is nowhere but in the service's own mount while it runs, and nowhere after", async () => {
    const started = node.startInPlace(["--bundle", "dns", "--user", "nobody"], waiting());
    await untilReady(started);
    const pid = String(started.process.pid);
    const file = `/proc/${pid}/root/run/sealaunch/service/credentials/TOKEN`;
    expect(await readFile(file)).toEqual(canary);
    await expectNowhere({ status: 0, stdout: Buffer.from(""), stderr: "" });
    started.process.kill("SIGKILL");
    await expectNowhere(await started.ended);
  });

  it("stands in the service's environment alone if it was asked for there", async () => {
    const options = ["--bundle", "dns", "--user", "nobody", "--env", "SECRET=TOKEN"];
    const started = node.startInPlace(options, waiting());
    await untilReady(started);
    const environ = `/proc/${String(started.process.pid)}/environ`;
    expect((await readFile(environ)).includes(canary)).toBe(true);
    const found = await searchPlaintext(canary, places(), { processes: true });
    expect(found).toEqual([environ]);
    started.process.kill("SIGKILL");
    await expectNowhere(await started.ended);
  });

  const nowhere = "/nix/store/00000000000000000000000000000000-nothing/bin/x";
  it.for([
    ["another unit", ["--bundle", "dns", "--user", "nobody", "--unit", "mail.service"], undefined],
    ["no such user", ["--bundle", "dns", "--user", "no-such-user"], undefined],
    ["a floor above it", ["--bundle", "dns@9+", "--user", "nobody"], undefined],
    ["no such credential", ["--bundle", "dns", "--user", "nobody", "--env", "A=B"], undefined],
    ["a closure that no cache has", ["--bundle", "dns", "--user", "nobody"], nowhere],
    [
      "privileges that can't be had",
      ["--bundle", "dns", "--user", "nobody", "--ambient-capability", "nonsense"],
      undefined,
    ],
  ] as [string, string[], string | undefined][])(
    "is nowhere after a refusal for %s",
    async ([, options, program]) => {
      const ended = await node.inPlace(options, [program ?? `${node.busybox}/bin/id`]);
      expect(ended.stderr).toMatch(refusalLines);
      await expectNowhere(ended);
    },
  );

  it("is nowhere after a refusal that comes when it is open: not fit for the environment", async () => {
    await using other = await TestCluster.create();
    await other.withBundle({}, { TOKEN: Buffer.concat([canary, Buffer.from([0])]) });
    await node.join(other, { state: join(node.directory, "other-state") });
    const options = ["--bundle", "dns", "--user", "nobody", "--env", "TOKEN"];
    const ended = await node.inPlace(options, [`${node.busybox}/bin/id`]);
    await node.join(cluster);
    expect(ended.stderr).toMatch(refusalLines);
    expect(ended.status).toBe(65);
    await expectNowhere(ended, [other.directory]);
  });

  it("would be in a core dump that the kernel writes here", async () => {
    const script = `ulimit -c unlimited; S=${canary.toString()}; kill -ABRT $$`;
    const { process, ended } = node.start("/bin/sh", ["-c", script]);
    await ended;
    // Others may dump too: the pattern is the whole machine's.
    const core = join(cores, String(process.pid));
    await until(() => existsSync(core));
    expect((await readFile(core)).includes(canary)).toBe(true);
    rmSync(core);
  });

  it("is in no core dump of a launch that aborts at any moment", { timeout: 600_000 }, async () => {
    const random = chance("canary");
    for (let round = 0; round < count(60); round++) {
      const around = ["-c", 'ulimit -c unlimited 2>/dev/null; exec "$0" "$@"'];
      const { sealaunchPath } = await import("../fixtures/program.ts");
      const run = [
        "run",
        "--in-place",
        "--config",
        node.configuration,
        "--bundle",
        "dns",
        "--user",
        "root",
      ];
      const service = ["--", `${node.busybox}/bin/busybox`, "true"];
      const started = node.start("/bin/sh", [...around, sealaunchPath, ...run, ...service]);
      await pause(random() * 400);
      // The shell and everything below it, as a crash of any of them would.
      for (const pid of descendants(started.process.pid ?? 0)) abort(pid);
      const ended = await started.ended;
      expect(await searchPlaintext(canary, [cores], {})).toEqual([]);
      expect(ended.stdout.includes(canary)).toBe(false);
      expect(ended.stderr.includes(canary.toString())).toBe(false);
    }
    // What a round left would still be there: once is enough for the whole machine, which takes longer
    // to search than all rounds.
    await expectNowhere({ status: 0, stdout: Buffer.from(""), stderr: "" });
  });
});

function abort(pid: number): void {
  try {
    process.kill(pid, "SIGABRT");
  } catch {
    // It has ended meanwhile.
  }
}

/** A process and all below it that are left. */
function descendants(pid: number): number[] {
  const listing = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" });
  const pairs = listing
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/u).map(Number));
  const below = (parent: number): number[] =>
    pairs.flatMap(([child = 0, ppid]) => (ppid === parent ? [child, ...below(child)] : []));
  return [...below(pid).reverse(), pid];
}
