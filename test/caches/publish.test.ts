import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guidanceOf } from "../../src/cli/guidance.ts";
import { createProgram } from "../../src/cli/program.ts";
import { expectDone } from "../fixtures/ended.ts";
import { cleanEnvironment, sealaunch, sealaunchPath } from "../fixtures/program.ts";
import { missingIn, narInfosIn, Publisher } from "../fixtures/published.ts";
import { PutServer } from "../fixtures/put-server.ts";
import { createCacheKey, filesOf, TestStore } from "../fixtures/store.ts";
import { chance, count } from "../soak.ts";
import { textOfFile } from "../source.ts";

let publisher: Publisher;
beforeAll(() => {
  publisher = new Publisher(3_000_000);
});
afterAll(() => {
  publisher[Symbol.dispose]();
});

let made = 0;
function newDirectory(): string {
  return join(publisher.store.root, `cache-${String(made++)}`);
}

describe("publish", () => {
  it("fills a directory from which another machine's Nix fetches the closure, signatures required", async () => {
    const directory = newDirectory();
    const ended = await publisher.publish(`file://${directory}`);
    expect(expectDone(ended).toString()).toMatch(/^published 4 store paths to file:/u);
    expect(missingIn(directory)).toEqual([]);
    using other = new TestStore();
    const said = await other.fetch(publisher.top, `file://${directory}`, [publisher.key.open]);
    expect(said).not.toMatch(/error|modified|disappeared/u);
    expect(other.store(["-qR", publisher.top]).trim().split("\n").sort()).toEqual(
      [...publisher.paths.values()].sort(),
    );
    using stranger = new TestStore();
    await expect(stranger.fetch(publisher.top, `file://${directory}`, [])).rejects.toThrow(
      /not signed/u,
    );
  });

  it("fills a server with PUT, what readers need first", async () => {
    await using server = await PutServer.start();
    expectDone(await publisher.publish(server.url));
    const puts = server.done.filter((one) => one.startsWith("PUT ")).map((one) => one.slice(4));
    expect(puts[0]).toBe("nix-cache-info");
    const firstInfo = puts.findIndex((key) => key.endsWith(".narinfo"));
    expect(puts.slice(1, firstInfo).every((key) => key.startsWith("nar/"))).toBe(true);
    const order = puts.slice(firstInfo).map((key) => key.slice(0, 32));
    for (const info of narInfosIn(server.directory).values()) {
      const own = order.indexOf(info.storePath.slice(11, 43));
      for (const reference of info.references)
        expect(order.indexOf(reference.slice(0, 32))).toBeLessThanOrEqual(own);
    }
    using other = new TestStore();
    await other.fetch(publisher.top, server.url, [publisher.key.open]);
  });

  it("sends nothing that is there, says so, and tells programs what it did", async () => {
    await using server = await PutServer.start();
    const first = expectDone(await publisher.publish(server.url, ["--json"]));
    const { published, sentBytes } = JSON.parse(first.toString()) as Record<string, unknown>;
    expect(published).toEqual([...publisher.paths.values()].sort());
    expect(sentBytes).toBeGreaterThan(3_000_000);
    server.done.length = 0;
    const again = expectDone(await publisher.publish(server.url)).toString();
    expect(again).toBe(`nothing to do: ${server.url} has 4 store paths\n`);
    expect(server.done.filter((one) => !one.startsWith("GET "))).toEqual([]);
    // Each narinfo was asked for, once.
    const asked = server.done.filter((one) => one.endsWith(".narinfo"));
    expect(asked).toHaveLength(4);
    expect(new Set(asked).size).toBe(4);
  });

  it("only says what is missing with --dry-run, and writes nothing", async () => {
    await using server = await PutServer.start();
    const said = expectDone(await publisher.publish(server.url, ["--dry-run"])).toString();
    for (const path of publisher.paths.values()) expect(said).toContain(path);
    expect(filesOf(server.directory)).toEqual([]);
  });

  it("signs with several keys, and adds a key's signature to what was there without it", async () => {
    const directory = newDirectory();
    expectDone(await publisher.publish(`file://${directory}`));
    const second = createCacheKey(publisher.store.root, `second-${String(made)}`);
    const ended = await publisher.publish(`file://${directory}`, ["--cache-key", second.secret]);
    expect(expectDone(ended).toString()).toContain("signed 4 store paths once more\n");
    for (const key of [publisher.key, second]) {
      using other = new TestStore();
      await other.fetch(publisher.top, `file://${directory}`, [key.open]);
    }
  });

  it("leaves out what an upstream cache has", async () => {
    const [upstream, directory] = [newDirectory(), newDirectory()];
    const libc = publisher.paths.get("libc-2.42") ?? "";
    const { root } = publisher.store;
    const options = ["--store", root, "--to", `file://${upstream}`];
    expectDone(
      await sealaunch(["publish", libc, ...options, "--cache-key", publisher.key.secret], {
        cwd: root,
      }),
    );
    const more = ["--upstream", `file://${upstream}`];
    const said = expectDone(await publisher.publish(`file://${directory}`, more)).toString();
    expect(said).toContain("left out 1 store path that an upstream cache has");
    expect(narInfosIn(directory).size).toBe(3);
    using other = new TestStore();
    await other.fetch(publisher.top, `file://${upstream} file://${directory}`, [
      publisher.key.open,
    ]);
  });

  it("keeps what somebody else published of the same path with other content, and warns", async () => {
    const directory = newDirectory();
    expectDone(await publisher.publish(`file://${directory}`));
    const [file = "", info] =
      [...narInfosIn(directory)].find(([, one]) => one.url.endsWith(".nar")) ?? [];
    const text = readFileSync(join(directory, file), "utf8");
    const other = text.replace(/NarHash: sha256:./u, (start) =>
      start.replace(/.$/u, (digit) => (digit === "0" ? "1" : "0")),
    );
    writeFileSync(join(directory, file), other);
    const { status, stderr } = await publisher.publish(`file://${directory}`);
    expect(status).toBe(0);
    expect(stderr).toBe(
      `warning: ${info?.storePath ?? ""} was published with other content, which stays as it is\n`,
    );
    expect(readFileSync(join(directory, file), "utf8")).toBe(other);
  });

  it("packs small archives not at all, and others with zstd", async () => {
    const directory = newDirectory();
    expectDone(await publisher.publish(`file://${directory}`));
    const byName = new Map(
      [...narInfosIn(directory).values()].map((info) => [info.storePath.slice(44), info]),
    );
    expect(byName.get("dns-1.0")?.compression).toBe("none");
    expect(byName.get("libc-2.42")?.compression).toBe("zstd");
  });

  it("takes links to store paths, and where to publish from sealaunch.json", async () => {
    const [directory, here] = [newDirectory(), newDirectory()];
    mkdirSync(here);
    symlinkSync(publisher.top, join(here, "result"));
    const roots = [
      readFileSync(await newSignerKey(here), "utf8")
        .split(" ")
        .slice(0, 2)
        .join(" "),
    ];
    const cache = { to: `file://${directory}`, keys: [publisher.key.secret] };
    const trust = { cluster: "0".repeat(32), source: "dir:.", roots };
    writeFileSync(join(here, "sealaunch.json"), JSON.stringify({ ...trust, cache }));
    expectDone(
      await sealaunch(["publish", "result", "--store", publisher.store.root], { cwd: here }),
    );
    expect(narInfosIn(directory).size).toBe(4);
  });

  it("is what docs/publishing.md shows", async () => {
    const here = newDirectory();
    mkdirSync(here);
    symlinkSync(publisher.top, join(here, "result"));
    const blocks = [...textOfFile("docs/publishing.md").matchAll(/^```sh\n(.*?)^```$/gmsu)];
    expect(blocks.length).toBeGreaterThan(0);
    for (const [, script = ""] of blocks) {
      const ours = script
        .replaceAll("/srv/cache", `${here}/cache`)
        .replaceAll(
          "sealaunch publish",
          `${sealaunchPath} publish --store ${publisher.store.root}`,
        );
      const shell = spawn("sh", ["-euc", ours], { cwd: here, env: cleanEnvironment });
      const [status] = (await once(shell, "close")) as [number | null];
      expect(status).toBe(0);
    }
    expect(narInfosIn(join(here, "cache")).size).toBe(4);
  });

  it("has examples in its help that work", async () => {
    const command = createProgram().commands.find((one) => one.name() === "publish")!;
    const here = newDirectory();
    mkdirSync(here);
    symlinkSync(publisher.top, join(here, "result"));
    writeFileSync(join(here, "cache.secret"), readFileSync(publisher.key.secret), { mode: 0o600 });
    const examples = guidanceOf(command)?.examples ?? [];
    expect(examples.length).toBeGreaterThan(1);
    for (const example of examples) {
      const words = example.replace("/srv/cache", `${here}/cache`).split(" ").slice(1);
      const ended = await sealaunch([...words, "--store", publisher.store.root], { cwd: here });
      expectDone(ended);
    }
  });
});

async function newSignerKey(directory: string): Promise<string> {
  const key = join(directory, "root");
  await once(spawn("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]), "close");
  return `${key}.pub`;
}

describe("publish, interrupted", () => {
  it("never shows a reader what isn't whole, and the next run sends nothing twice", async () => {
    const random = chance("publish");
    const begin = performance.now();
    await using whole = await PutServer.start();
    expectDone(await publisher.publish(whole.url));
    const duration = performance.now() - begin;
    for (let number = 0; number < count(50); number++) {
      await using server = await PutServer.start();
      const child = spawn(sealaunchPath, publisher.command(server.url), {
        cwd: publisher.store.root,
        env: cleanEnvironment,
        stdio: "ignore",
      });
      const timer = setTimeout(() => child.kill("SIGKILL"), duration * (0.2 + 0.8 * random()));
      await once(child, "close");
      clearTimeout(timer);
      expect(missingIn(server.directory)).toEqual([]);
      expectDone(await publisher.publish(server.url));
      expect(missingIn(server.directory)).toEqual([]);
      const puts = server.done.filter((one) => one.startsWith("PUT "));
      expect(new Set(puts).size).toBe(puts.length);
      expect(narInfosIn(server.directory).size).toBe(4);
    }
  });

  it("leaves nothing in a directory that a later run doesn't remove in time", async () => {
    const directory = newDirectory();
    const child = spawn(sealaunchPath, publisher.command(`file://${directory}`), {
      cwd: publisher.store.root,
      env: cleanEnvironment,
      stdio: "ignore",
    });
    setTimeout(() => child.kill("SIGKILL"), 300);
    await once(child, "close");
    expectDone(await publisher.publish(`file://${directory}`));
    expect(missingIn(directory)).toEqual([]);
    const old = join(directory, "nar/.sealaunch-old");
    writeFileSync(old, "half of it");
    const { utimesSync } = await import("node:fs");
    utimesSync(old, 1, 1);
    expectDone(await publisher.publish(`file://${directory}`));
    expect(filesOf(directory)).not.toContain("nar/.sealaunch-old");
    rmSync(directory, { recursive: true });
  });
});
