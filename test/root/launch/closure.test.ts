import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { exitStatus, failures, type FailureCode } from "../../../src/failure.ts";
import { buildScripts, TestCache, type Fault } from "../../fixtures/cache.ts";
import { TestNode } from "../../fixtures/node.ts";
import { refusalLines } from "../../fixtures/program.ts";

let node: TestNode;
let cache: TestCache;
let other: TestCache;
let script: string;
beforeAll(async () => {
  node = await TestNode.create();
  [script = ""] = await buildScripts(node, 1);
  cache = await TestCache.create(node, [script]);
  other = await TestCache.create(node, [script], "other");
});
afterAll(async () => {
  await cache[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});

// Nothing of the closure is on the node, and neither cache was ever asked.
beforeEach(async () => {
  await node.ok("nix-store", ["--gc"]);
  expect(await isValid(script)).toBe(false);
  cache.move();
  other.move();
  await trust([cache.url], [cache]);
});

async function isValid(path: string): Promise<boolean> {
  return (await node.run("nix-store", ["--check-validity", path])).status === 0;
}

/** Whether something holds the lock that every process of Nix takes first. */
async function isLocked(): Promise<boolean> {
  const tried = await node.run("flock", ["--nonblock", "/nix/var/nix/db/big-lock", "true"]);
  return tried.status !== 0;
}

const trust = (urls: readonly string[], caches: readonly TestCache[]): Promise<void> =>
  node.configureNix(
    urls,
    caches.map(({ publicKey }) => publicKey),
  );

const start = (...options: string[]): ReturnType<TestNode["inPlace"]> =>
  node.inPlace(["--user", "nobody", ...options], [`${script}/bin/script`, "echo", "runs"]);

async function expectStart(): Promise<void> {
  const { status, stdout, stderr } = await start();
  expect({ status, stdout: stdout.toString(), stderr }).toEqual({
    status: 0,
    stdout: "runs\n",
    stderr: "",
  });
}

async function expectRefusal(
  code: FailureCode,
  message: RegExp,
  ...options: string[]
): Promise<void> {
  const { status, stdout, stderr } = await start(...options);
  expect(stderr).toMatch(refusalLines);
  expect(stderr).toMatch(message);
  expect(stderr).toContain(script);
  expect(status).toBe(exitStatus[failures[code][0]]);
  expect(stdout.toString()).toBe("");
}

const ofNarinfo =
  (fault: Fault) =>
  (path: string): Fault | undefined =>
    path.endsWith(".narinfo") ? fault : undefined;
const ofNar =
  (fault: Fault) =>
  (path: string): Fault | undefined =>
    path.startsWith("/nar/") ? fault : undefined;

describe("the closure", () => {
  it("is fetched from a signed cache", async () => {
    await expectStart();
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
    await expectStart();
  });

  it("is refused if the cache is down", async () => {
    await trust(["http://127.0.0.1:1"], [cache]);
    await expectRefusal("closure/unavailable", /a cache doesn't answer/u);
  });

  it("is refused if the cache says nothing, within the time given", async () => {
    cache.fault = () => "silent";
    const before = Date.now();
    await expectRefusal("closure/unavailable", /within 3 s/u, "--closure-timeout", "3");
    expect(Date.now() - before).toBeLessThan(20_000);
  });

  it("is refused if the cache answers with errors", async () => {
    cache.fault = ofNarinfo("error");
    await expectRefusal("closure/unavailable", /a cache doesn't answer/u);
  });

  it("comes from the second cache if the first answers with errors", async () => {
    await trust([cache.url, other.url], [cache, other]);
    cache.fault = () => "error";
    await expectStart();
  });

  it("comes from the second cache if the first sends altered bytes", async () => {
    await trust([cache.url, other.url], [cache, other]);
    cache.fault = ofNar("altered");
    await expectStart();
  });

  it("comes from the second cache if the first is signed by nobody known", async () => {
    await trust([cache.url, other.url], [other]);
    await expectStart();
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

  it.each(["is there", "is in a cache"])(
    "is refused if the store stays locked, within the time given, where it %s",
    async (where) => {
      if (where === "is there") await expectStart();
      const lock = node.start("flock", ["/nix/var/nix/db/big-lock", "cat"], { keepsInput: true });
      await expect.poll(isLocked).toBe(true);
      const before = Date.now();
      await expectRefusal("closure/locked", /not pinned within 3 s/u, "--closure-timeout", "3");
      // Whatever is refused for something else waits for no lock.
      const { stderr } = await start("--closure-timeout", "many");
      expect(stderr).toMatch(/^error: .*many/u);
      expect(Date.now() - before).toBeLessThan(20_000);
      expect(await node.run("pgrep", ["-f", `nix-store --realise ${script}`])).toMatchObject({
        status: 1,
      });
      lock.process.stdin?.end();
      await lock.ended;
      await expectStart();
    },
  );

  it("is refused if Nix says that it has it and it is not on the disk", async () => {
    await expectStart();
    await node.ok("rm", ["-rf", script]);
    await expectRefusal("closure/corrupt", /is not on the disk/u);
    await node.ok("nix-store", ["--repair-path", script]);
    await expectStart();
  });

  it("is refused if the program isn't in it, or can't be executed", async () => {
    for (const path of [`${script}/bin/other`, `${script}/bin`, `${script}/bin/script/x`]) {
      const { status, stderr } = await node.inPlace(["--user", "nobody"], [path]);
      expect(stderr).toMatch(/^error: .* is no executable file/u);
      expect(status).toBe(78);
    }
  });

  it.each(["/bin/true", "script", "/nix/store/x/bin/y", "/nix/store/../../bin/true"])(
    "is never looked for outside the store: %s",
    async (path) => {
      const { status, stderr } = await node.inPlace(["--user", "nobody"], [path]);
      expect(stderr).toMatch(/^error: program ".*" is not below \/nix\/store\/HASH-NAME\//u);
      expect(status).toBe(64);
    },
  );
});
