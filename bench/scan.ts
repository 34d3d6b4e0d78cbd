// What a scan of many machines costs, from the inventories that they have signed to the report: 1,000 nodes with
// 1,500 store paths each, of which they share most, and 300,000 advisories; and the same with a quarter of the nodes:
//
//   npm run bench:scan [NODES]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pack } from "../src/cluster/packing.ts";
import { writeInventory } from "../src/cluster/inventory-writing.ts";
import { utf8 } from "../src/crypto/bytes.ts";
import { formatTime } from "../src/formats/fields.ts";
import { encodeInventory } from "../src/formats/records/inventory.ts";
import { encodeUses } from "../src/formats/uses.ts";
import { writeEntry } from "../src/scan/store/graph-form.ts";
import { openMemory } from "../src/sources/memory.ts";
import { placeWithin } from "../src/sources/directory.ts";
import { nvdRecord } from "../test/fixtures/advisories.ts";
import { LargeCluster } from "../test/fixtures/large-cluster.ts";
import { sealaunchPath } from "../test/fixtures/program.ts";
import { noUses, storePath, unit } from "../test/scan/stores.ts";
import { reportMachine } from "./measure.ts";

const mostNodes = Number(process.argv[2] ?? 1000);
const pathCount = 1500;
const advisoryCount = 300_000;
/** Of the paths of a node so many are those that all have. */
const sharedCount = 1200;
const services = 40;

const packageOf = (number: number): string => `pkg${String(number)}-5.${String(number % 7)}.1`;

/** The names of a node's paths, each of which needs some of those before it. */
function storeOf(node: number): readonly [name: string, needs: readonly string[]][] {
  const numbers = Array.from({ length: pathCount }, (_, at) =>
    at < sharedCount ? at : sharedCount + ((node * 37 + at * 101) % 6000),
  );
  const unique = [...new Set(numbers)];
  return unique.map((number, at) => {
    const needs = [1, 2, 3, 5, 8, 13].map((step) => unique[Math.floor(at / (step + 1))] ?? 0);
    return [packageOf(number), [...new Set(needs)].filter((one) => one !== number).map(packageOf)];
  });
}

/** Puts the node's inventory there; it isn't made durable. @returns how many bytes that is, and how many paths */
async function announce(cluster: LargeCluster, number: number): Promise<readonly [number, number]> {
  const node = `n${String(number)}`;
  const store = storeOf(number);
  const names = store.map(([name]) => name);
  const units = Array.from({ length: services }, (_, at) => {
    const runs = names.filter((_name, place) => place % services === at).slice(0, 25);
    return unit(`service-${String(at)}.service`, { names: runs.slice(0, 1), runs, owner: "team" });
  });
  const graph = store.map(([name, needs]) =>
    writeEntry({ path: storePath(name), references: needs.map(storePath) }),
  );
  const texts = [pack(utf8(graph.join(""))), pack(encodeUses({ ...noUses, units }))] as const;
  const { cluster: id } = JSON.parse(
    readFileSync(join(cluster.directory, "sealaunch.json"), "utf8"),
  ) as {
    readonly cluster: string;
  };
  const bytes = encodeInventory({
    type: "inventory",
    version: 1,
    cluster: id,
    node,
    taken: formatTime(new Date()),
    paths: store.length,
    graph: texts[0].packed,
    uses: texts[1].packed,
  });
  const signature = cluster.hostKeyOf(node).sign("inventory", bytes);
  const objects = new Map<string, Uint8Array>();
  await writeInventory(openMemory("memory", objects), { node, bytes, signature, texts });
  let size = 0;
  for (const [path, object] of objects) {
    const file = join(cluster.directory, placeWithin(path));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, object);
    size += object.length;
  }
  return [size, store.length];
}

/** A feed in which most products are nobody's, and one in fifty of the others is vulnerable. */
async function writeFeed(file: string): Promise<void> {
  const stream = createWriteStream(file);
  stream.write('{"format":"NVD_CVE","version":"2.0","vulnerabilities":[');
  for (let at = 0; at < advisoryCount; at++) {
    const number = at % 20_000;
    const before = number % 50 === 0 && at < 20_000 ? "6.0" : "4.0";
    const id = `CVE-${String(2015 + (at % 11))}-${String(10_000 + at)}`;
    const record = nvdRecord(id, `vendor:pkg${String(number)}`, before, 7.5);
    if (!stream.write(`${at === 0 ? "" : ","}${JSON.stringify(record)}`))
      await once(stream, "drain");
  }
  stream.end("]}");
  await once(stream, "finish");
}

interface Cost {
  readonly seconds: number;
  /** Seconds of one. */
  readonly processor: number;
  /** The most memory that it had (proc(5), VmHWM), in MiB. */
  readonly peak: number;
  /** Bytes. */
  readonly written: number;
  /** The last line of that. */
  readonly last: string;
}

/** What a command took. */
async function measure(directory: string, args: readonly string[]): Promise<Cost> {
  const began = performance.now();
  const child = spawn(sealaunchPath, args, {
    cwd: directory,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", XDG_STATE_HOME: join(directory, "state") },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let [peak, ticks] = [0, 0];
  const polling = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${String(child.pid)}/status`, "latin1");
      // utime and stime, the 14th and 15th field.
      const stat = readFileSync(`/proc/${String(child.pid)}/stat`, "latin1").split(") ")[1] ?? "";
      const [user = 0, system = 0] = stat.split(" ").slice(11, 13).map(Number);
      ticks = user + system;
      peak = Math.max(peak, Number(/^VmHWM:\s+([0-9]+)/mu.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      // It has ended.
    }
  }, 50);
  let [last, written] = ["", 0];
  for await (const piece of child.stdout as AsyncIterable<Buffer>) {
    last = (last + String(piece)).slice(-500);
    written += piece.length;
  }
  const [status] = (await once(child, "close")) as [number];
  clearInterval(polling);
  if (status !== 0) throw new Error(`scan ended with ${String(status)}: ${last}`);
  const seconds = (performance.now() - began) / 1000;
  const lines = last.trim().split("\n");
  return { seconds, processor: ticks / 100, peak, written, last: lines.at(-1) ?? "" };
}

const write = (line: string): void => void process.stdout.write(`${line}\n`);

/** Measures each command on a cluster of so many nodes. */
async function measureCluster(nodeCount: number): Promise<void> {
  using cluster = new LargeCluster({ nodes: nodeCount, pools: 4, bundles: 0, generations: 1 });
  const sizes: (readonly [number, number])[] = [];
  for (let number = 1; number <= nodeCount; number++) sizes.push(await announce(cluster, number));
  const bytes = sizes.reduce((sum, [size]) => sum + size, 0) / nodeCount;
  const paths = sizes.reduce((sum, [, count]) => sum + count, 0) / nodeCount;
  const feed = join(cluster.directory, "feed.json");
  await writeFeed(feed);
  const advisories = `${String(advisoryCount)} advisories of ${mebibytes(statSync(feed).size)} MiB`;
  write(
    `${String(nodeCount)} nodes, ${paths.toFixed(0)} paths and ${(bytes / 1024).toFixed(0)} KiB each; ${advisories}`,
  );
  for (const [what, args] of [
    ["scan --package, the first time", ["scan", "--package", "pkg7@<6"]],
    ["scan --package", ["scan", "--package", "pkg7@<6"]],
    ["scan --advisories", ["scan", "--advisories", "feed.json"]],
    ["scan --advisories --json", ["scan", "--advisories", "feed.json", "--json"]],
  ] as const) {
    const { seconds, processor, peak, written, last } = await measure(cluster.directory, args);
    write(
      `${what.padEnd(32)} ${seconds.toFixed(1)} s, ${processor.toFixed(1)} s of a processor, ` +
        `${peak.toFixed(0)} MiB at most, ${mebibytes(written)} MiB written   ${last.slice(0, 60)}`,
    );
  }
}

const mebibytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(0);

reportMachine(1);
for (const nodes of [Math.ceil(mostNodes / 4), mostNodes]) await measureCluster(nodes);
