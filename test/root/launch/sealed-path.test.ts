import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createIdentity } from "../../../src/crypto/identity.ts";
import {
  openProfileHeader,
  parseDetachedHeader,
  sealHeader,
} from "../../../src/formats/age/profile.ts";
import { formatTime } from "../../../src/formats/fields.ts";
import { headerPath, recordFile } from "../../../src/formats/paths.ts";
import { encodeCard } from "../../../src/formats/records/card.ts";
import type { FailureCode } from "../../../src/failure.ts";
import { buildScripts, TestCache } from "../../fixtures/cache.ts";
import { stranger, TestCluster } from "../../fixtures/cluster.ts";
import { expectDone, expectRefused } from "../../fixtures/ended.ts";
import { TestNode } from "../../fixtures/node.ts";
import { sealaunchPath, type Ended } from "../../fixtures/program.ts";
import {
  copyToStore,
  makeCheckout,
  publishUnsigned,
  sealedPathOf,
} from "../../fixtures/sealed-paths.ts";

let node: TestNode;
let cache: TestCache;
let script = "";
beforeAll(async () => {
  node = await TestNode.create();
  [script = ""] = await buildScripts(node, 1);
  cache = await TestCache.create(node, [script]);
});
afterAll(async () => {
  await cache[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});
beforeEach(async () => {
  cache.move();
  // The service is signed by a key that the node knows; bundles are by nobody.
  await node.configureNix([cache.url], [cache.publicKey]);
  await rm(join(node.directory, "state"), { recursive: true, force: true });
});

/** A start of the service, which prints its credential. */
const launch = (bundle: string, ...more: readonly string[]): Promise<Ended> =>
  node.inPlace(
    ["--bundle", bundle, "--user", "nobody", "--unit", "dns.service", ...more],
    [`${script}/bin/script`, "sh", "-c", 'cat "$CREDENTIALS_DIRECTORY/CF_TOKEN"'],
  );

async function expectGiven(bundle: string, value: string): Promise<void> {
  expect(expectDone(await launch(bundle)).toString()).toBe(value);
}

async function expectNothing(bundle: string, code: FailureCode): Promise<string> {
  const { stdout, stderr } = expectRefused(await launch(bundle), code);
  expect(stdout.toString()).toBe("");
  return stderr;
}

/** A cluster of which the node is a member, and the store path of its bundle, which only the cache has. */
async function published(cluster: TestCluster, bundle = "dns"): Promise<string> {
  const path = await sealedPathOf(node, cluster, bundle);
  await node.join(cluster);
  const narinfo = await publishUnsigned(node, cache, path);
  expect(narinfo).not.toContain("Sig:");
  expect(narinfo).toContain("CA: fixed:r:sha256:");
  return path;
}

const isValid = async (path: string): Promise<boolean> =>
  (await node.run("nix-store", ["--check-validity", path])).status === 0;

describe("a source in the store", () => {
  /** The store path of the cluster's tree as it is now. */
  async function treeOf({ directory }: TestCluster): Promise<string> {
    const tree = join(node.directory, "tree");
    await node.ok("sh", [
      "-euc",
      `rm -rf ${tree}; mkdir ${tree}; cp -r ${directory}/keys ${directory}/secrets ${tree}`,
    ]);
    return (await node.ok("nix-store", ["--add", tree])).trim();
  }

  it("goes back with the system that names it, but not below a floor, nor by a link", async () => {
    await using cluster = await TestCluster.create();
    const first = await treeOf(cluster);
    await cluster.withBundle({ generation: 2 }, { CF_TOKEN: "newer" });
    const second = await treeOf(cluster);
    const link = join(node.directory, "system");
    const starts = async (source: string, value: string): Promise<void> => {
      await node.join(cluster, { source: `dir:${source}` });
      await expectGiven("dns", value);
    };
    await starts(first, "canary");
    await starts(second, "newer");
    await starts(first, "canary");
    await expectNothing("dns@2+", "bundle/below-floor");
    // Whoever may point a link elsewhere needn't be root.
    await node.ok("ln", ["-sfn", second, link]);
    await starts(link, "newer");
    await node.ok("ln", ["-sfn", first, link]);
    await expectNothing("dns", "mark/rolled-back");
    await node.join(cluster, { source: `dir:${first}/../../..${link}` });
    await expectNothing("dns", "mark/rolled-back");
  });
});

describe("a bundle in a store path", () => {
  it("is fetched from a cache in which nobody signed it, pinned while the service runs, and opened", async () => {
    await using cluster = await TestCluster.create();
    const path = await published(cluster);
    expect(path).toMatch(/^\/nix\/store\/[0-9a-z]{32}-sealaunch-dns-0\.1$/u);
    // What is sealed isn't in the source any more.
    await rm(join(cluster.directory, "secrets"), { recursive: true });
    await expectGiven(`dns@1+=${path}`, "canary");
    await node.ok("nix-store", ["--gc"]);
    expect(await isValid(path)).toBe(false);
    const command = [`${script}/bin/script`, "sh", "-c", "echo runs; read -r end"];
    const service = node.startInPlace(
      ["--bundle", `dns=${path}`, "--user", "nobody", "--unit", "dns.service"],
      command,
      { keepsInput: true },
    );
    await new Promise((resolve) => service.process.stdout?.once("data", resolve));
    await node.ok("nix-store", ["--gc"]);
    expect(await isValid(path)).toBe(true);
    service.process.stdin?.end("\n");
    expectDone(await service.ended);
  });

  it("has the same path wherever it is made, as Nix itself names it, and is put there once", async () => {
    await using cluster = await TestCluster.create();
    const path = await sealedPathOf(node, cluster);
    expect(await sealedPathOf(node, cluster)).toBe(path);
    await node.ok("nix-store", ["--verify-path", path]);
    const again = await node.ok("sh", [
      "-euc",
      `mkdir /tmp/elsewhere; mount -t tmpfs tmpfs /tmp/elsewhere; cp -r ${path} /tmp/elsewhere/sealaunch-dns-0.1; nix-store --add /tmp/elsewhere/sealaunch-dns-0.1; umount /tmp/elsewhere; rmdir /tmp/elsewhere`,
    ]);
    expect(again.trim()).toBe(path);
    expect(expectDone(await copyToStore(node, cluster, "dns")).toString()).toContain(
      "nothing to do: the Nix store has all of them",
    );
  });

  it("isn't taken with a byte changed in the cache, and Nix says so", async () => {
    await using cluster = await TestCluster.create();
    const path = await published(cluster);
    cache.fault = (request) => (request.startsWith("/nar/") ? "altered" : undefined);
    await expectNothing(`dns=${path}`, "closure/corrupt");
    expect(await isValid(path)).toBe(false);
    cache.fault = () => undefined;
    await expectGiven(`dns=${path}`, "canary");
  });

  it("isn't taken under another bundle's name, nor one of another cluster", async () => {
    await using cluster = await TestCluster.create();
    await cluster.withBundle({ name: "web/site" }, { CF_TOKEN: "theirs" });
    const other = await published(cluster, "web/site");
    expect(await expectNothing(`dns=${other}`, "bundle/wrong-path")).toMatch(
      /is named for bundle dns, and has web\/site/u,
    );
    await using foreign = await TestCluster.create();
    const theirs = await published(foreign);
    await foreign.withRoster({ cluster: "ffeeddccbbaa99887766554433221100" });
    await node.join(foreign, { cluster: "ffeeddccbbaa99887766554433221100" });
    await expectNothing(`dns=${theirs}`, "cluster/mismatch");
  });

  it("isn't taken below the unit's floor or the roster's minimum, whatever the node has seen", async () => {
    await using cluster = await TestCluster.create();
    const path = await published(cluster);
    expect(await expectNothing(`dns@2+=${path}`, "bundle/wrong-path")).toMatch(
      /has bundle dns 1, and the command asks for 2 or newer/u,
    );
    // Older than what the node has seen: a store path doesn't change, and who named it knew it.
    await cluster.withBundle({ generation: 2 }, { CF_TOKEN: "newer" });
    await expectGiven("dns", "newer");
    await expectGiven(`dns=${path}`, "canary");
    await cluster.withRoster({ generation: 2, names: [{ name: "dns", series: 0, minimum: 2 }] });
    await expectNothing(`dns=${path}`, "bundle/below-minimum");
    await cluster.withRoster({ generation: 3, names: [{ name: "dns", series: 1, minimum: 0 }] });
    await expectNothing(`dns=${path}`, "bundle/below-minimum");
  });

  it("isn't taken by a unit that it doesn't name, or once its signer may no more", async () => {
    await using cluster = await TestCluster.create();
    await cluster.withBundle({ generation: 2, units: ["mail.service"] }, { CF_TOKEN: "x" });
    const path = await published(cluster);
    await expectNothing(`dns=${path}`, "bundle/wrong-unit");
    await cluster.withRoster({
      generation: 2,
      signers: [{ name: "bea", signer: stranger.key, names: ["dns"], expires: null }],
    });
    await expectNothing(`dns=${path}`, "signature/unknown-signer");
  });

  it("opens by headers of a newer epoch, which the source has", async () => {
    await using cluster = await TestCluster.create();
    const path = await published(cluster);
    const next = createIdentity();
    const folder = join(cluster.directory, "secrets/headers/web/1/dns");
    const [payload = ""] = await readdir(folder);
    const header = parseDetachedHeader(await readFile(join(folder, payload)));
    await cluster.withPool({ generation: 2, current: { epoch: 2, recipient: next.recipient } });
    await cluster.withEntry(cluster.node, next, 2);
    expect(await expectNothing(`dns=${path}`, "header/absent")).toMatch(
      /no header for web epoch 2, neither in \/nix\/store\/.* nor in the source\nhint: .*'sealaunch copy NAME --from dir:. --to nix:'/u,
    );
    const fileKey = openProfileHeader(header, cluster.poolIdentity);
    await cluster.source.write(
      headerPath("web", 2, "dns", payload),
      sealHeader(fileKey, next.recipient),
    );
    await expectGiven(`dns=${path}`, "canary");
  });

  it("is asked for by a unit that was checked against it: unit, verify --units", async () => {
    await using cluster = await TestCluster.create();
    await cluster.withBundle({ name: "web/site" }, { CF_TOKEN: "theirs" });
    const path = await sealedPathOf(node, cluster);
    const other = await sealedPathOf(node, cluster, "web/site");
    const run = async (bundle: string, ...words: readonly string[]): Promise<Ended> => {
      const service = {
        version: 1,
        name: "dns",
        program: `${script}/bin/script`,
        bundles: [bundle],
      };
      await writeFile(join(cluster.directory, "dns.json"), JSON.stringify(service));
      return node.run(sealaunchPath, words, { cwd: cluster.directory });
    };
    const unit = ["unit", "dns.json", "--for", "systemd"];
    const verify = ["verify", "--units", "dns.json"];
    expect(expectDone(await run(`dns@1+=${path}`, ...unit)).toString()).toContain(
      ` run --bundle dns@1+=${path} --credential CF_TOKEN -- `,
    );
    expectDone(await run(`dns@1+=${path}`, ...verify));
    for (const words of [unit, verify]) {
      expectRefused(await run(`dns=${other}`, ...words), "bundle/wrong-path");
      expectRefused(await run(`dns@2+=${path}`, ...words), "bundle/wrong-path");
    }
    await node.ok("nix-store", ["--delete", path]);
    for (const words of [unit, verify]) {
      const { stderr } = expectRefused(await run(`dns=${path}`, ...words), "closure/absent");
      expect(stderr).toContain(`hint: nix-store --realise ${path}`);
    }
  });

  it("is refused where Nix says that it has it and it is not on the disk", async () => {
    await using cluster = await TestCluster.create();
    const path = await published(cluster);
    await expectGiven(`dns=${path}`, "canary");
    await node.ok("rm", ["-rf", path]);
    await expectNothing(`dns=${path}`, "closure/corrupt");
  });

  it.each([
    ["usage/invalid", (path: string) => path],
    ["closure/not-in-store", (path: string) => `dns=${path}/secrets`],
    ["closure/not-in-store", () => "dns=/etc"],
    ["closure/not-in-store", () => "dns="],
  ] as const)("is refused with %s unless bundle and store path are named", async (code, name) => {
    const path = `/nix/store/${"0".repeat(32)}-sealaunch-dns-0.1`;
    await expectNothing(name(path), code);
  });

  it("needs of a mirror what says whom to trust, and of the source nothing at all", async () => {
    await using cluster = await TestCluster.create();
    const path = await published(cluster);
    const mirror = join(node.directory, "mirror");
    await node.join(cluster, { mirror });
    const { recipient } = cluster.node;
    const card = encodeCard({ node: "n1", recipient, created: formatTime(new Date()) });
    await writeFile(join(node.directory, recordFile.card), card);
    const signature = stranger.sign("card", card);
    await writeFile(join(node.directory, recordFile.cardSignature), signature);
    await node.ok(sealaunchPath, ["sync", "--config", node.configuration]);
    await rm(join(cluster.directory, "keys"), { recursive: true });
    await rm(join(cluster.directory, "secrets"), { recursive: true });
    await expectGiven(`dns@1+=${path}`, "canary");
    await rm(mirror, { recursive: true });
    await expectNothing(`dns@1+=${path}`, "roster/absent");
  });

  it("ends when it says so, however long its path is pinned", async () => {
    await using cluster = await TestCluster.create();
    const end = new Date(Date.now() + 30_000);
    const expires = formatTime(end);
    await cluster.withBundle({ generation: 2, expires }, { CF_TOKEN: "canary" });
    const path = await published(cluster);
    await expectGiven(`dns@1+=${path}`, "canary");
    await new Promise((resolve) => setTimeout(resolve, end.getTime() - Date.now() + 1_000));
    expect(await expectNothing(`dns@1+=${path}`, "bundle/expired")).toContain(expires);
  });

  it("isn't made where there is no room for a copy of it, which is told", async () => {
    await using cluster = await TestCluster.create();
    await makeCheckout(cluster);
    const words = ["copy", "dns", "--from", "dir:.", "--to", "nix:", "--yes"];
    const limited = `ulimit -f 1; exec ${[sealaunchPath, ...words].join(" ")}`;
    const environment = { XDG_STATE_HOME: join(cluster.directory, ".state") };
    const ended = await node.run("sh", ["-c", limited], { cwd: cluster.directory, environment });
    expect(expectRefused(ended, "write/refused").stderr).toContain("EFBIG");
  });

  it("isn't made of what no start would take", async () => {
    await using cluster = await TestCluster.create();
    await makeCheckout(cluster);
    await rm(join(cluster.directory, "secrets/headers"), { recursive: true });
    expectRefused(await copyToStore(node, cluster, "dns", "--yes"), "header/absent");
    await cluster.withBundle({ generation: 2, expires: "2026-11-25T12:00:00Z" }, { A: "x" });
    expectRefused(await copyToStore(node, cluster, "dns", "--yes"), "bundle/expired");
    const names = [{ name: "dns", series: 0, minimum: 4 }];
    await cluster.withBundle({ generation: 3 }, { A: "x" });
    await cluster.withRoster({ generation: 2, names });
    expectRefused(await copyToStore(node, cluster, "dns", "--yes"), "bundle/below-minimum");
  });
});
