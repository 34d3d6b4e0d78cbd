import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { cleanEnvironment, sealaunch, sealaunchPath } from "../fixtures/program.ts";
import { missingIn, narInfosIn, Publisher } from "../fixtures/published.ts";
import { PutServer, type PutFault } from "../fixtures/put-server.ts";
import { filesOf } from "../fixtures/store.ts";
import type { FailureCode } from "../../src/failure.ts";

let publisher: Publisher;
beforeAll(() => {
  publisher = new Publisher(2_000_000);
});
afterAll(() => {
  publisher[Symbol.dispose]();
});

const isArchive = (method: string, key: string): boolean =>
  method === "PUT" && key.startsWith("nar/");

describe("a server that errs", () => {
  it.for([
    ["doesn't know who asks", 401, "cache/forbidden"],
    ["forbids it", 403, "cache/forbidden"],
    ["is full", 507, "cache/full"],
    ["takes no PUT", 405, "cache/failed"],
    ["answers 500 every time", 500, "cache/failed"],
    ["breaks off every time", "reset", "cache/unreachable"],
    ["falls silent", "silent", "cache/unreachable"],
  ] as const satisfies [string, PutFault, FailureCode][])(
    "and %s is told so, and is left whole",
    async ([, fault, code]) => {
      await using server = await PutServer.start();
      server.fault = (method, key) => (isArchive(method, key) ? fault : undefined);
      const ended = await publisher.publish(server.url, ["--timeout", "1"]);
      expect(expectRefused(ended, code).stderr).toContain(server.url);
      expect(narInfosIn(server.directory).size).toBe(0);
      server.fault = () => undefined;
      expectDone(await publisher.publish(server.url));
      expect(missingIn(server.directory)).toEqual([]);
    },
  );

  it.for([503, 429, "reset"] as const)(
    "only now and then, with %s, is asked again",
    async (fault) => {
      await using server = await PutServer.start();
      const seen = new Map<string, number>();
      server.fault = (method, key) => {
        const times = (seen.get(method + key) ?? 0) + 1;
        seen.set(method + key, times);
        return times <= 2 ? fault : undefined;
      };
      expectDone(await publisher.publish(server.url));
      expect(missingIn(server.directory)).toEqual([]);
      expect(narInfosIn(server.directory).size).toBe(4);
    },
  );

  it("isn't there", async () => {
    const ended = await publisher.publish("http://127.0.0.1:9/cache");
    expect(expectRefused(ended, "cache/unreachable").stderr).toContain("nobody listens there");
  });

  it("forgets what it took is told so", async () => {
    await using server = await PutServer.start();
    const lost = `${(publisher.paths.get("data") ?? "").slice(11, 43)}.narinfo`;
    server.fault = (method, key) => (method === "GET" && key === lost ? 404 : undefined);
    const ended = await publisher.publish(server.url);
    expect(expectRefused(ended, "cache/incomplete").stderr).toContain(lost);
  });
});

describe("a cache that doesn't fit", () => {
  it("is for another store", async () => {
    await using server = await PutServer.start();
    writeFileSync(join(server.directory, "nix-cache-info"), "StoreDir: /gnu/store\n");
    const ended = await publisher.publish(server.url);
    expect(expectRefused(ended, "cache/other-store").stderr).toContain("/gnu/store");
    expect(filesOf(server.directory)).toEqual(["nix-cache-info"]);
  });

  it("holds something else where a narinfo should be", async () => {
    await using server = await PutServer.start();
    writeFileSync(join(server.directory, `${publisher.top.slice(11, 43)}.narinfo`), "<html>");
    expectRefused(await publisher.publish(server.url), "cache/invalid");
  });

  it.for(["ftp://example.org/", "cache", "file://host/dir", "https://example.org/?x=1"])(
    "has the address %s",
    async (address) => {
      expectRefused(await publisher.publish(address), "cache/unknown");
    },
  );

  it("has a password in its address, which isn't repeated", async () => {
    const ended = await publisher.publish("https://ada:canary@example.org/");
    expect(expectRefused(ended, "usage/value-in-argument").stderr).not.toContain("canary");
  });

  it("lies where nobody may write", async () => {
    const file = join(publisher.store.root, "a-file");
    writeFileSync(file, "");
    expectRefused(await publisher.publish(`file://${file}/cache`), "cache/failed");
  });

  it("lies on a disk that is full", () => {
    const directory = join(publisher.store.root, "small-disk");
    mkdirSync(directory);
    const script = `mount -t tmpfs -o size=1m tmpfs ${directory}; "$0" "$@"; status=$?; find ${directory} -type f >&1; exit $status`;
    const { status, stdout, stderr } = spawnSync(
      "unshare",
      [
        ...[
          ...(process.getuid?.() === 0 ? [] : ["--map-root-user"]),
          "--mount",
          "sh",
          "-c",
          script,
          sealaunchPath,
        ],
        ...publisher.command(`file://${directory}`),
      ],
      { env: cleanEnvironment, encoding: "utf8", cwd: publisher.store.root },
    );

    expectRefused({ status, stderr }, "cache/full");
    expect(stdout).not.toMatch(/narinfo|\.sealaunch-/u);
    expect(stdout).toContain("nix-cache-info");
  });
});

describe("credentials", () => {
  it("come from a netrc file, for the host that it names", async () => {
    await using server = await PutServer.start();
    const netrc = join(publisher.store.root, "netrc");
    writeFileSync(
      netrc,
      "machine other login x password y\nmachine 127.0.0.1\n login ada\n password s3cret\n",
    );
    expectDone(await publisher.publish(server.url, ["--netrc", netrc]));
    expect(server.logins).toEqual(new Set([`Basic ${btoa("ada:s3cret")}`]));
  });

  it("are missing where the file is", async () => {
    const ended = await publisher.publish("http://127.0.0.1:9/", ["--netrc", "nowhere"]);
    expectRefused(ended, "configuration/missing");
  });
});

describe("a key", () => {
  const file = (): string => join(publisher.store.root, "some.key");
  it.for([
    ["nothing", ""],
    ["no key", "hello\n"],
    ["a name alone", "name:"],
    ["no base64", "name:!!!!"],
    ["a public key", `name:${Buffer.alloc(32, 1).toString("base64")}`],
    ["halves of two keys", `name:${Buffer.alloc(64, 1).toString("base64")}`],
  ])("that is %s is refused", async ([, content = ""]) => {
    writeFileSync(file(), content, { mode: 0o600 });
    const { root } = publisher.store;
    const options = ["--store", root, "--to", `file://${root}/none`, "--cache-key", file()];
    const ended = await sealaunch(["publish", publisher.top, ...options], { cwd: root });
    expectRefused(ended, "cache-key/invalid");
  });

  it("that others may read is warned of", async () => {
    chmodSync(publisher.key.secret, 0o644);
    const { status, stderr } = await publisher.publish(`file://${publisher.store.root}/warned`);
    chmodSync(publisher.key.secret, 0o600);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^warning: .* is a secret key that others may read: chmod 0600 .*\n$/u);
  });

  it("and a cache have to be named", async () => {
    const { root } = publisher.store;
    for (const options of [
      ["--to", `file://${root}/none`],
      ["--cache-key", publisher.key.secret],
    ])
      expectRefused(
        await sealaunch(["publish", publisher.top, ...options], { cwd: root }),
        "usage/invalid",
      );
  });
});

describe("a store path", () => {
  it("that isn't in the store", async () => {
    const { root } = publisher.store;
    const path = `/nix/store/${"0".repeat(32)}-gone`;
    const options = ["--store", root, "--to", `file://${root}/none`];
    const ended = await sealaunch(
      ["publish", path, ...options, "--cache-key", publisher.key.secret],
      { cwd: root },
    );
    expect(expectRefused(ended, "store/missing").stderr).toContain(path);
  });

  it("that is none", async () => {
    const { root } = publisher.store;
    const options = ["--to", `file://${root}/none`, "--cache-key", publisher.key.secret];
    for (const path of ["/etc/passwd", "nowhere"])
      expectRefused(
        await sealaunch(["publish", path, ...options], { cwd: root }),
        "closure/not-in-store",
      );
  });

  it("of a store that Nix can't read", async () => {
    const { root } = publisher.store;
    const options = ["--store", `${publisher.key.secret}/x`, "--to", `file://${root}/none`];
    const ended = await sealaunch(
      ["publish", publisher.top, ...options, "--cache-key", publisher.key.secret],
      { cwd: root },
    );
    expectRefused(ended, "store/failed");
  });

  it.for(["small", "large"])("that was altered on the disk (%s) is not published", async (size) => {
    using other = new Publisher(size === "large" ? 2_000_000 : 0);
    const place = other.store.place(other.paths.get("data") ?? "");
    writeFileSync(join(place, "small"), "evil");
    const directory = join(other.store.root, "cache");
    const ended = await other.publish(`file://${directory}`);
    expect(expectRefused(ended, "store/altered").stderr).toContain("-data has the hash");
    expect(narInfosIn(directory).size).toBe(0);
  });
});
