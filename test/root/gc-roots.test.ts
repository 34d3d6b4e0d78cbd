import {
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { basename, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { wrapperPath } from "../../src/service/wrapper.ts";
import { buildScripts, TestCache } from "../fixtures/cache.ts";
import { Pinning, TestDaemon, type Called } from "../fixtures/nix-daemon.ts";
import { TestNode } from "../fixtures/node.ts";

let node: TestNode;
let daemon: TestDaemon;
let pinning: Pinning;
let cache: TestCache;
let scripts: string[];
let one: string;
let two: string;
let state: string;
beforeAll(async () => {
  node = await TestNode.create();
  scripts = await buildScripts(node, 3);
  [one = "", two = ""] = scripts;
  cache = await TestCache.create(node, scripts);
  state = join(node.directory, "state");
  daemon = new TestDaemon(node);
  await node.configureNix([cache.url], [cache.publicKey]);
  await daemon.restart();
  pinning = new Pinning(node);
});
afterAll(async () => {
  await pinning[Symbol.asyncDispose]();
  await daemon[Symbol.asyncDispose]();
  await cache[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await rm(join(state, "roots"), { recursive: true, force: true });
});

/** Whether the paths are still there after a collection. */
async function survive(...paths: readonly string[]): Promise<boolean[]> {
  await node.ok("nix-store", ["--gc"]);
  return Promise.all(
    paths.map(
      async (path) => (await node.run("nix-store", ["--check-validity", path])).status === 0,
    ),
  );
}

const replace = (unit: string, ...paths: readonly string[]): Promise<Called> =>
  pinning.call("replaceRoots", state, unit, paths, 30_000);

async function expectReplaced(unit: string, ...paths: readonly string[]): Promise<void> {
  expect(await replace(unit, ...paths)).toMatchObject({ code: "ok", message: "" });
}

describe("what a unit keeps in the store", () => {
  it("is what its last start needed, and nothing that an earlier one did", async () => {
    await expectReplaced("a.service", one, two);
    expect(await survive(one, two)).toEqual([true, true]);
    await expectReplaced("a.service", two);
    expect(await survive(one, two)).toEqual([false, true]);
  });

  it("is each unit's own", async () => {
    await expectReplaced("a.service", one);
    await expectReplaced("b.service", one);
    const [first, second] = (await pinning.call("listRoots", state)).value;
    if (first === undefined || second === undefined) throw new Error("not both are listed");
    await pinning.call("removeRoots", state, first);
    expect(await survive(one)).toEqual([true]);
    await pinning.call("removeRoots", state, second);
    expect(await survive(one)).toEqual([false]);
    expect(await readdir(join(state, "roots"))).toEqual([]);
  });

  it("stays if the unit was started since it was found to be stale", async () => {
    await expectReplaced("a.service", one);
    const [listed] = (await pinning.call("listRoots", state)).value;
    if (listed === undefined) throw new Error("nothing is listed");
    await expectReplaced("a.service", one);
    await pinning.call("removeRoots", state, listed);
    expect(await survive(one)).toEqual([true]);
  });

  it("stays if the unit is just being started", async () => {
    await expectReplaced("a.service", one);
    const [listed] = (await pinning.call("listRoots", state)).value;
    if (listed === undefined) throw new Error("nothing is listed");
    const [started] = await Promise.all([
      replace("a.service", one),
      pinning.call("removeRoots", state, listed),
    ]);
    expect(started).toMatchObject({ code: "ok" });
    expect(await survive(one)).toEqual([true]);
  });

  it("stays if a later start fails", async () => {
    await expectReplaced("a.service", one);
    const absent = `/nix/store/${"0".repeat(32)}-absent`;
    expect(await replace("a.service", two, absent)).toMatchObject({ code: "closure/absent" });
    expect(await survive(one, absent)).toEqual([true, false]);
  });

  it("is found again if Nix was told, and has forgotten", async () => {
    await expectReplaced("a.service", one);
    const auto = join(node.directory, "nix/var/nix/gcroots/auto");
    for (const name of await readdir(auto)) await unlink(join(auto, name));
    await expectReplaced("a.service", one);
    expect(await survive(one)).toEqual([true]);
  });

  it("is fetched anew if it is gone although there is a root", async () => {
    await expectReplaced("a.service", one);
    await node.ok("nix-store", ["--delete", "--ignore-liveness", one]);
    await expectReplaced("a.service", one);
    expect(await survive(one)).toEqual([true]);
  });

  it("is made anew if a link leads elsewhere", async () => {
    await expectReplaced("a.service", one);
    const link = join(state, "roots/a.service", basename(one));
    await unlink(link);
    await symlink("/etc/passwd", link);
    await expectReplaced("a.service", one);
    expect(await readlink(link)).toBe(one);
    expect(await survive(one)).toEqual([true]);
  });

  it.each(["a@b.service", String.raw`a\x2db@c\x2fd.service`, "a:b_c.socket", "-.mount"])(
    "is kept for a unit of any name: %s",
    async (unit) => {
      await expectReplaced(unit, one);
      expect(await survive(one)).toEqual([true]);
      const { value } = await pinning.call("listRoots", state);
      expect(value).toMatchObject([{ unit, storePaths: [one] }]);
    },
  );

  it.each(["", ".", "..", "a/b.service", "../a.service", "a\0", "a\nb", "a b", "x".repeat(256)])(
    "isn't kept for what is no unit's name: %j",
    async (unit) => {
      expect(await replace(unit, one)).toMatchObject({ code: "usage/bad-name" });
      expect(await pinning.call("removeRoots", state, { unit, usedAt: 0 })).toMatchObject({
        code: "usage/bad-name",
      });
    },
  );

  it("is listed with the time when it was last used", async () => {
    expect((await pinning.call("listRoots", state)).value).toEqual([]);
    const before = Date.now();
    await expectReplaced("a.service", one, two);
    const [started] = (await pinning.call("listRoots", state)).value;
    expect([...(started?.storePaths ?? [])].sort()).toEqual([one, two].sort());
    expect(started?.usedAt).toBeGreaterThanOrEqual(before - 1);
    await pinning.call("touchRoots", state, "a.service", before + 5_000);
    const [touched] = (await pinning.call("listRoots", state)).value;
    expect(touched?.usedAt).toBe(before + 5_000);
  });

  it("can't be written where there is a file instead", async () => {
    await mkdir(state, { recursive: true });
    await writeFile(join(state, "roots"), "");
    expect(await replace("a.service", one)).toMatchObject({ code: "write/refused" });
  });

  it("takes a fraction of nix-store's time if Nix knows all of it", async () => {
    await expectReplaced("a.service", one, two, node.busybox);
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < 15; round++) {
      ours.push((await replace("a.service", one, two, node.busybox)).ms);
      const before = performance.now();
      await node.ok("nix-store", ["--realise", one]);
      theirs.push(performance.now() - before);
    }
    const median = (times: number[]): number => times.sort((a, b) => a - b)[7] ?? NaN;
    expect(median(ours)).toBeLessThan(median(theirs) / 3);
  });
});

describe("the wrapper", () => {
  const add = (script: string): Promise<Called<string>> =>
    pinning.call("addWrapper", script, state, 30_000);

  async function expectAdded(script: string): Promise<void> {
    const expected = wrapperPath(new TextEncoder().encode(script));
    expect(await add(script)).toMatchObject({ code: "ok", message: "", value: expected });
    expect(await survive(expected)).toEqual([true]);
    expect(await node.ok(`${expected}/bin/sealaunch`, [])).toBe("runs\n");
    expect((await node.run("nix-store", ["--verify-path", expected])).status).toBe(0);
  }

  it("is put into the store through the daemon, where it stays", async () => {
    await expectAdded("#!/bin/sh\necho runs\n");
    await expectAdded("#!/bin/sh\necho runs\n");
    await expectAdded("#!/bin/sh\necho runs # another\n");
  });

  it("is put into the store without a daemon", async () => {
    await daemon.remove();
    await expectAdded("#!/bin/sh\necho runs # without\n");
    expect(await readdir(state)).toEqual(["roots"]);
    await daemon.restart();
  });

  it("that is in the repository has the path that Nix gives it", async () => {
    const script = await readFile(join(import.meta.dirname, "../../wrapper/bin/sealaunch"));
    const directory = join(node.directory, "sealaunch-wrapper");
    await mkdir(join(directory, "bin"), { recursive: true });
    await writeFile(join(directory, "bin/sealaunch"), script, { mode: 0o755 });
    expect((await node.ok("nix-store", ["--add", directory])).trim()).toBe(wrapperPath(script));
  });
});
