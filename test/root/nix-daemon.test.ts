import { execFileSync } from "node:child_process";
import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { FailureCode } from "../../src/failure.ts";
import { buildScripts, TestCache, type Fault } from "../fixtures/cache.ts";
import { Pinning, TestDaemon, type Called } from "../fixtures/nix-daemon.ts";
import { TestNode } from "../fixtures/node.ts";

const count = 25;
let node: TestNode;
let daemon: TestDaemon;
let pinning: Pinning;
let cache: TestCache;
let other: TestCache;
let scripts: string[];
let script: string;
let state: string;
beforeAll(async () => {
  node = await TestNode.create();
  scripts = await buildScripts(node, count);
  [script = ""] = scripts;
  cache = await TestCache.create(node, scripts);
  other = await TestCache.create(node, [script], "other");
  state = join(node.directory, "state");
  daemon = new TestDaemon(node);
  pinning = new Pinning(node);
});
afterAll(async () => {
  await pinning[Symbol.asyncDispose]();
  await daemon[Symbol.asyncDispose]();
  await cache[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});

// Nothing of the closures is on the node, and neither cache was ever asked.
beforeEach(async () => {
  await node.ok("rm", ["-rf", join(state, "roots")]);
  await collect();
  expect(await isValid(script)).toBe(false);
  cache.move();
  other.move();
  await trust([cache.url], [cache]);
});

const collect = (): Promise<string> => node.ok("nix-store", ["--gc"]);

async function isValid(path: string): Promise<boolean> {
  return (await node.run("nix-store", ["--check-validity", path])).status === 0;
}

async function trust(urls: readonly string[], caches: readonly TestCache[]): Promise<void> {
  await node.configureNix(
    urls,
    caches.map(({ publicKey }) => publicKey),
  );
  await daemon.restart();
}

const pin = (paths: readonly string[], timeoutMs = 30_000): Promise<Called> =>
  pinning.call("replaceRoots", state, "a.service", paths, timeoutMs);

async function expectRefusal(
  code: FailureCode,
  message: RegExp,
  timeoutMs?: number,
): Promise<void> {
  const pinned = await pin([script], timeoutMs);
  expect(pinned.message).toMatch(message);
  expect(pinned.message).toContain(script);
  expect(pinned.code).toBe(code);
  expect(await readdir(join(state, "roots/a.service"))).toEqual([]);
}

const ofNarinfo =
  (fault: Fault) =>
  (path: string): Fault | undefined =>
    path.endsWith(".narinfo") ? fault : undefined;
const ofNar =
  (fault: Fault) =>
  (path: string): Fault | undefined =>
    path.startsWith("/nar/") ? fault : undefined;

describe("the closure of a unit, through the Nix daemon,", () => {
  it("is fetched and pinned", async () => {
    expect(await pin([script])).toMatchObject({ code: "ok", message: "" });
    await collect();
    expect(await node.ok(`${script}/bin/script`, ["echo", "runs"])).toBe("runs\n");
    const name = script.slice("/nix/store/".length);
    expect(await readlink(join(state, "roots/a.service", name))).toBe(script);
  });

  it("is pinned if it is there", async () => {
    await pinning.call("replaceRoots", state, "b.service", [script], 30_000);
    cache.fault = () => "error";
    expect(await pin([script])).toMatchObject({ code: "ok" });
    await node.ok("rm", ["-rf", join(state, "roots/b.service")]);
    await collect();
    expect(await isValid(script)).toBe(true);
  });

  it("is refused if no cache is configured", async () => {
    await trust([], []);
    await expectRefusal("closure/absent", /no cache has it/u);
  });

  it("is refused if no cache has it", async () => {
    cache.fault = ofNarinfo("missing");
    await expectRefusal("closure/absent", /no cache has it/u);
  });

  it("is refused if no cache has what it needs", async () => {
    const needed = /\/nix\/store\/([0-9a-z]+)-/u.exec(node.busybox)?.[1] ?? "";
    cache.fault = (path) => (path === `/${needed}.narinfo` ? "missing" : undefined);
    await expectRefusal("closure/absent", /or its whole closure/u);
  });

  it("is found as soon as it was published, though it was asked for before", async () => {
    cache.fault = ofNarinfo("missing");
    await expectRefusal("closure/absent", /no cache has it/u);
    cache.fault = () => undefined;
    expect(await pin([script])).toMatchObject({ code: "ok" });
  });

  it("is refused if the cache is down", async () => {
    await trust(["http://127.0.0.1:1"], [cache]);
    await expectRefusal("closure/unavailable", /a cache doesn't answer/u);
  });

  it("is refused if the cache says nothing, within the time given", async () => {
    cache.fault = () => "silent";
    const before = Date.now();
    await expectRefusal("closure/unavailable", /within 3 s/u, 3000);
    expect(Date.now() - before).toBeLessThan(6_000);
  });

  it("is refused if the cache answers with errors", async () => {
    cache.fault = ofNarinfo("error");
    await expectRefusal("closure/unavailable", /a cache doesn't answer/u);
  });

  it("comes from the second cache if the first answers with errors", async () => {
    await trust([cache.url, other.url], [cache, other]);
    cache.fault = () => "error";
    expect(await pin([script])).toMatchObject({ code: "ok" });
  });

  it.each([
    ["of what it has", "narinfo"],
    ["of the bytes", "nar"],
  ])("comes from the second cache if the first says nothing %s", async (_, ending) => {
    await trust([cache.url, other.url], [cache, other]);
    cache.fault = (path) => (path.endsWith(`.${ending}`) ? "silent" : undefined);
    expect(await pin([script])).toMatchObject({ code: "ok" });
  });

  it("comes from the second cache if the first sends altered bytes", async () => {
    await trust([cache.url, other.url], [cache, other]);
    cache.fault = ofNar("altered");
    expect(await pin([script])).toMatchObject({ code: "ok" });
  });

  it("is refused if its key isn't trusted", async () => {
    await trust([cache.url], [other]);
    await expectRefusal("closure/untrusted", /signed by a key that this node trusts/u);
  });

  it.each(["altered", "cut short", "garbage"] as const)(
    "is refused if its bytes are %s",
    async (fault) => {
      cache.fault = ofNar(fault);
      await expectRefusal("closure/corrupt", /altered or broken bytes/u);
      expect(await isValid(script)).toBe(false);
    },
  );

  it("is refused if the daemon is gone", async () => {
    await daemon.kill();
    const { code, message } = await pin([script]);
    expect(message).toMatch(/^the Nix daemon can't be reached at .*: ECONNREFUSED$/u);
    expect(code).toBe("closure/unavailable");
  });

  it("is refused if the daemon's process dies meanwhile", async () => {
    cache.fault = () => "silent";
    const pinned = pin([script]);
    await pause(1000);
    // The one that works for us has a session of its own, and the daemon as its parent.
    execFileSync("pkill", ["-KILL", "-P", String(daemon.pid)]);
    expect(await pinned).toMatchObject({
      code: "closure/unavailable",
      message: "the Nix daemon closed the connection",
    });
  });

  it("is fetched and pinned without a daemon", async () => {
    await daemon.remove();
    expect(await pin([script, node.busybox])).toMatchObject({ code: "ok" });
    await collect();
    expect(await isValid(script)).toBe(true);
  });

  it("is left alone by collections at any time, for many units at once", async () => {
    const end = new AbortController();
    let collections = 0;
    const collecting = (async () => {
      for (; !end.signal.aborted; collections++) await collect();
    })();
    for (let round = 0; round < 4; round++) {
      const pinned = await Promise.all(
        scripts.map((one, number) =>
          pinning.call(
            "replaceRoots",
            state,
            `unit-${String(number)}.service`,
            [one, node.busybox],
            30_000,
          ),
        ),
      );
      expect(pinned.filter(({ code }) => code !== "ok")).toEqual([]);
      for (const one of scripts) expect(await isValid(one)).toBe(true);
      if (round % 2 === 0) await node.ok("rm", ["-rf", join(state, "roots")]);
    }
    end.abort();
    await collecting;
    expect(collections).toBeGreaterThan(4);
    for (const one of scripts) expect(await isValid(one)).toBe(true);
    expect((await node.run("nix-store", ["--verify", "--check-contents"])).status).toBe(0);
  });
});
