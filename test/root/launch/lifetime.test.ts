import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildScripts, TestCache } from "../../fixtures/cache.ts";
import { TestCluster } from "../../fixtures/cluster.ts";
import { TestNode, type Started } from "../../fixtures/node.ts";
import { chance, count } from "../../soak.ts";

const parallel = 25;

let node: TestNode;
let cluster: TestCluster;
let cache: TestCache;
let scripts: readonly string[];
beforeAll(async () => {
  node = await TestNode.create();
  cluster = await TestCluster.create();
  await node.join(cluster);
  // As on a machine with systemd: what is mounted in one namespace is mounted in its copies too,
  // unless those say otherwise.
  await node.ok("/bin/mount", ["--make-rshared", "/"]);
  scripts = await buildScripts(node, parallel);
  cache = await TestCache.create(node, scripts);
  await node.configureNix([cache.url], [cache.publicKey]);
});
afterAll(async () => {
  await cache[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});

/** Processes of launches: those that see this node's mounts, and those that are still about to. */
async function launched(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/u.test(pid) || node.isHolder(Number(pid))) continue;
    const read = (file: string): Promise<string> =>
      readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
    const isInside = (await read("mountinfo")).includes(` ${node.directory}/nix /nix `);
    if (isInside || (await read("cmdline")).includes(node.configuration)) found.push(pid);
  }
  return found;
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await holds());) {
    if (Date.now() > deadline) throw new Error(`not within 30 s: ${what}`);
    await pause(5);
  }
}

const [asNobody, busy] = [["--user", "nobody", "--bundle", "dns"], "exec sleep 1000"];

/** A running service; `script` says `ready` as soon as it has begun. */
async function startService(script: string): Promise<Started> {
  const command = [`${script}/bin/script`, "eval", `echo ready; PATH=${node.busybox}/bin; ${busy}`];
  const started = node.startInPlace(asNobody, command);
  await new Promise<void>((resolve, reject) => {
    started.process.stdout?.once("data", () => {
      resolve();
    });
    void started.ended.then(({ stderr }) => {
      reject(new Error(stderr));
    });
  });
  return started;
}

const roots = (): Promise<string> => node.ok("nix-store", ["--gc", "--print-roots"]);
const collect = (): Promise<string> => node.ok("nix-store", ["--gc"]);
const isValid = async (path: string): Promise<boolean> =>
  (await node.run("nix-store", ["--check-validity", path])).status === 0;

describe("a service's closure", () => {
  it("is pinned from outside its namespace for as long as its process lives", async () => {
    const [script = ""] = scripts;
    const service = await startService(script);
    const pin = `/proc/${String(service.process.pid)}/root/run/sealaunch/service/pin`;
    expect(await roots()).toContain(`${pin} -> ${script}`);
    await collect();
    expect(await isValid(script)).toBe(true);
    expect(await isValid(node.busybox)).toBe(true);
    service.process.kill("SIGKILL");
    await service.ended;
    expect(await roots()).not.toContain("/proc/");
    await collect();
    expect(await isValid(script)).toBe(false);
  });

  it("is lost by none of 25 starts while garbage is collected all the time", async () => {
    const over = new AbortController();
    const collecting = (async (): Promise<number> => {
      let collections = 0;
      // Nix 2.8's collector itself sometimes aborts when processes come and go.
      for (; !over.signal.aborted; collections++) await node.run("nix-store", ["--gc"]);
      return collections;
    })();
    const starts = scripts.map((script) =>
      // Reads its whole closure once it runs, and again after a collection.
      node.inPlace(asNobody, [
        `${script}/bin/script`,
        "eval",
        `for i in 1 2 3; do ${node.busybox}/bin/cat $0 ${node.busybox}/bin/busybox >/dev/null || exit 9; ${node.busybox}/bin/busybox sleep 1; done; echo whole`,
      ]),
    );
    const ends = await Promise.all(starts);
    over.abort();
    expect(ends.map(({ stderr }) => stderr).join("")).toBe("");
    expect(ends.map(({ stdout }) => stdout.toString())).toEqual(Array(parallel).fill("whole\n"));
    expect(await collecting).toBeGreaterThan(3);
  });
});

describe("where there is a Nix daemon", () => {
  it("pins through it, and without it once it has gone", async () => {
    const [script = ""] = scripts;
    const socket = join(node.directory, "nix/var/nix/daemon-socket/socket");
    const daemon = node.start("/usr/bin/nix-daemon", []);
    await until(() => Promise.resolve(existsSync(socket)), "the daemon listens");
    for (const isThere of [true, false]) {
      const service = await startService(script);
      const pin = `/proc/${String(service.process.pid)}/root/run/sealaunch/service/pin`;
      expect(await roots()).toContain(`${pin} -> ${script}`);
      service.process.kill("SIGKILL");
      await service.ended;
      if (!isThere) break;
      daemon.process.kill("SIGKILL");
      await daemon.ended;
      await collect();
    }
    await rm(socket);
  });
});

describe("a service's mount", () => {
  it("is seen by nobody outside, and ends with the service", async () => {
    const outside = await node.ok("/bin/cat", ["/proc/self/mountinfo"]);
    const service = await startService(scripts[1] ?? "");
    expect(await node.ok("/bin/cat", ["/proc/self/mountinfo"])).toBe(outside);
    expect(await node.ok("/bin/ls", ["-A", "/run/sealaunch/service"])).toBe("");
    const inside = await readFile(`/proc/${String(service.process.pid)}/mountinfo`, "utf8");
    expect(inside).toMatch(
      / \/run\/sealaunch\/service ro,nosuid,nodev,noexec\S* - tmpfs tmpfs ro/u,
    );
    service.process.kill("SIGKILL");
    await service.ended;
    await until(async () => (await launched()).length === 0, "its namespace ends");
  });

  it("lets the service see what the machine mounts later", async () => {
    const service = await startService(scripts[1] ?? "");
    const place = join(node.directory, "later");
    await mkdir(place);
    await node.ok("/bin/mount", ["-t", "tmpfs", "later", place]);
    const inside = await readFile(`/proc/${String(service.process.pid)}/mountinfo`, "utf8");
    await node.ok("/bin/umount", [place]);
    service.process.kill("SIGKILL");
    await service.ended;
    expect(inside).toContain(` ${place} `);
  });
});

describe("a start that is killed at any moment", () => {
  it(
    `leaves no process, no mount and no root, ${String(count(200))} times`,
    { timeout: 1_200_000 },
    async () => {
      const random = chance("killed");
      const [script = "", ...others] = scripts;
      const outside = await node.ok("/bin/cat", ["/proc/self/mountinfo"]);
      let [ended, killed] = [0, 0];
      for (let round = 0; round < count(200); round++) {
        // Every second time its closure has to be fetched.
        if (round % 2 === 0) await collect();
        const command = [`${script}/bin/script`, "eval", busy];
        const { process: child, ended: end } = node.startInPlace(asNobody, command);
        await pause(random() * 1200);
        if (child.exitCode !== null) ended++;
        if (child.kill("SIGKILL")) killed++;
        await end;
        await until(async () => (await launched()).length === 0, `round ${String(round)}`);
      }
      expect({ ended, killed }).toEqual({ ended: 0, killed: count(200) });
      expect(await node.ok("/bin/cat", ["/proc/self/mountinfo"])).toBe(outside);
      expect(await roots()).not.toContain("/proc/");
      await collect();
      const [next = ""] = others;
      const { status, stdout } = await node.inPlace(asNobody, [
        `${next}/bin/script`,
        "echo",
        "runs",
      ]);
      expect({ status, stdout: stdout.toString() }).toEqual({ status: 0, stdout: "runs\n" });
    },
  );
});
