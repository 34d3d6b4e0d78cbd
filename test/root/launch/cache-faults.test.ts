import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { exitStatus, failures } from "../../../src/failure.ts";
import { breakCache, cacheFaults, hintOf, type CacheFault } from "../../fixtures/cache-faults.ts";
import { buildScripts, TestCache } from "../../fixtures/cache.ts";
import { TestCluster } from "../../fixtures/cluster.ts";
import { Pinning, TestDaemon } from "../../fixtures/nix-daemon.ts";
import { TestNode } from "../../fixtures/node.ts";
import { publishUnsigned, sealedPathOf } from "../../fixtures/sealed-paths.ts";
import { chance, count } from "../../soak.ts";

// What the agent does with caches, the process that pins does: the agent's own functions, through the
// daemon of the same store.
let node: TestNode;
let cluster: TestCluster;
let daemon: TestDaemon;
let pinning: Pinning;
let cache: TestCache;
let other: TestCache;
const paths = { program: "", bundle: "" };
let state = "";
beforeAll(async () => {
  node = await TestNode.create();
  cluster = await TestCluster.create();
  [paths.program = ""] = await buildScripts(node, 1);
  cache = await TestCache.create(node, [paths.program]);
  other = await TestCache.create(node, [paths.program], "other");
  paths.bundle = await sealedPathOf(node, cluster);
  const { bundle } = paths;
  await node.ok("nix", ["copy", "--to", `file://${other.directory}?compression=none`, bundle]);
  await publishUnsigned(node, cache, bundle);
  await node.join(cluster);
  state = join(node.directory, "state");
  daemon = new TestDaemon(node);
  pinning = new Pinning(node);
});
afterAll(async () => {
  await pinning[Symbol.asyncDispose]();
  await daemon[Symbol.asyncDispose]();
  for (const one of [cache, other]) await one[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});
beforeEach(async () => {
  // One that was left open holds its paths.
  await daemon.remove();
});

/** How a start has ended, and how long that took. */
interface Tried {
  readonly code: string;
  readonly said: string;
  readonly ms: number;
}

const ways = {
  "in place": async (seconds: number): Promise<Tried> => {
    const before = Date.now();
    const options = [
      "--bundle",
      `dns=${paths.bundle}`,
      "--user",
      "nobody",
      "--unit",
      "dns.service",
    ];
    const { status, stdout, stderr } = await node.inPlace(
      [...options, "--closure-timeout", String(seconds)],
      [`${paths.program}/bin/script`, "echo", "runs"],
    );
    expect(stdout.toString()).toBe(status === 0 ? "runs\n" : "");
    const found = Object.entries(failures).find(([, [kind, ,]]) => exitStatus[kind] === status);
    const code = status === 0 ? "ok" : (found?.[0] ?? String(status));
    return { code, said: stderr, ms: Date.now() - before };
  },
  "by the agent": async (seconds: number): Promise<Tried> => {
    await daemon.restart();
    const all = [paths.program, paths.bundle];
    const called = await pinning.call("replaceRoots", state, "a.service", all, seconds * 1000);
    const { code, message, ms } = called;
    return { code, said: message, ms };
  },
};

/** Nothing is on the node that was published, and no cache was ever asked. */
async function begin(caches: readonly TestCache[]): Promise<void> {
  await daemon.remove();
  await rm(join(state, "roots"), { recursive: true, force: true });
  await node.ok("nix-store", ["--gc"]);
  for (const one of [cache, other]) one.move();
  const urls = caches.map(({ url }) => url);
  const keys = [cache, other].map(({ publicKey }) => publicKey);
  await node.configureNix(urls, keys);
}

const enough = 60;
/** What is silent is waited for until the start's time is over. */
const short = 4;
/** What may pass beyond it: processes begin and end. */
const slackMs = 8_000;

const objects = ["program", "bundle"] as const;
const chosen = chance("which of what is fetched a cache does wrong with");
const tries = (["in place", "by the agent"] as const).flatMap((way) =>
  cacheFaults.flatMap((fault) => {
    const title = `${fault.of}: ${fault.what}`;
    const one = objects[Math.floor(chosen() * objects.length)];
    return objects
      .filter((object) => count(10) === 10 || object === one)
      .map((object) => ({ way, object, title, fault }));
  }),
);

describe("a cache that is faulty", () => {
  it.for(tries)("with a $object, $way, $title", async ({ way, object, fault }) => {
    await begin([cache]);
    await breakCache(cache, fault, paths[object]);
    const alone = await ways[way](fault.fault === "silent" ? short : enough);
    expectEnd(alone, way, object, fault);
    if (fault.fault === "silent") expect(alone.ms).toBeLessThan(short * 1000 + slackMs);
    await begin([cache, other]);
    await breakCache(cache, fault, paths[object]);
    const beside = await ways[way](enough);
    expect(beside).toMatchObject({ code: "ok", said: "" });
  });
});

function expectEnd(
  { code, said }: Tried,
  way: keyof typeof ways,
  object: keyof typeof paths,
  fault: CacheFault,
): void {
  const starts = fault.code === undefined || (fault.isOfSignature === true && object === "bundle");
  if (starts) {
    expect({ code, said }).toEqual({ code: "ok", said: "" });
    return;
  }
  // What is wrong with the whole cache is told of whichever was first.
  const told = fault.of === "nix-cache-info" ? Object.values(paths) : [paths[object]];
  expect(told.filter((path) => said.includes(path))).toHaveLength(1);
  expect(said).toContain(fault.says);
  if (way === "by the agent") {
    expect(code).toBe(fault.code);
    return;
  }
  expect(said).toContain(`\nhint: ${hintOf(fault)}\n`);
  expect(exitStatus[failures[fault.code][0]]).toBe(exitStatus[failures[code as never][0]]);
}
