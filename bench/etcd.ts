// What a source in etcd costs: three members with mutual TLS on this machine, which hold 10,000 bundles and
// the entries of 1,000 nodes. How long a copy takes, what the pass of a node with 20 of those bundles asks for,
// as etcd counts it, how long a read, a seal and the news of a change take, when a seal is in the mirrors of
// those who follow, and what a dead member adds:
//
//   npm run bench:etcd [BUNDLES]
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openSource } from "../src/sources/open.ts";
import type { Source } from "../src/sources/source.ts";
import { EtcdCluster } from "../test/fixtures/etcd.ts";
import { LargeCluster } from "../test/fixtures/large-cluster.ts";
import { sealaunchPath } from "../test/fixtures/program.ts";
import { timesToMirrors } from "../test/fixtures/followers.ts";
import { median, reportMachine } from "./measure.ts";

const bundles = Number(process.argv[2] ?? 10_000);
// Of so many pools that one has 20 of the bundles.
const pools = Math.max(1, Math.floor(bundles / 20));
const nodes = 1000;
const watchers = 20;
const rounds = 50;

process.noDeprecation = true;
await using etcd = await EtcdCluster.start();
etcd.authenticate();
const file = etcd.configuration("root", { ...etcd.issue("root"), deadline: 10 });
const url = `etcd:${file}`;
using cluster = new LargeCluster({ nodes, pools, bundles, generations: 1 });

function run(command: string): number {
  const begin = performance.now();
  execFileSync("sh", ["-c", command], {
    cwd: cluster.directory,
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      PATH: `${dirname(sealaunchPath)}:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: "/nonexistent",
      XDG_STATE_HOME: join(cluster.directory, "state"),
    },
  });
  return performance.now() - begin;
}

async function timesOf(
  count: number,
  act: (number: number) => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  for (let number = 0; number < count; number++) {
    const begin = performance.now();
    await act(number);
    times.push(performance.now() - begin);
  }
  return times;
}

const rows: [string, string][] = [];
const ms = (times: readonly number[]): string =>
  `${median(times).toFixed(1)} ms (at most ${Math.max(...times).toFixed(1)})`;

const copied = run(`sealaunch copy --from dir:. --to ${url} --yes`);
rows.push([`copy of ${String(bundles)} bundles`, `${(copied / 1000).toFixed(1)} s`]);
const again = run(`sealaunch copy --from dir:. --to ${url} --yes`);
rows.push(["the same again, with nothing to do", `${(again / 1000).toFixed(1)} s`]);

function readFrom(name: string, source: string): void {
  const path = join(cluster.directory, name);
  const before = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...before, source }));
}
readFrom("n1/node.json", url);
const pass = "sealaunch sync --config n1/node.json --mirror n1/mirror";
for (const which of ["first", "second"]) {
  const before = await etcd.traffic();
  const took = run(pass);
  const after = await etcd.traffic();
  const kB = ((after.bytes - before.bytes) / 1000).toFixed(0);
  rows.push([
    `a node's ${which} pass, 20 bundles`,
    `${took.toFixed(0)} ms, ${String(after.ranges - before.ranges)} requests, ${kB} kB`,
  ]);
}
const sealing = (bundle: string): string => `sealaunch seal ${bundle} TOKEN=ann.pub --signer ann`;
const source = await openSource(url, "/");
const toMirrors = await timesToMirrors(source, watchers, {
  directory: cluster.directory,
  node: "n1/node.json",
  bundle: "app/b1",
  seal: () => run(sealing("app/b1")),
  rounds: 20,
});
rows.push([`a seal, until it is in the mirrors of ${String(watchers)} followers`, ms(toMirrors)]);
readFrom("sealaunch.json", url);
rows.push([
  "seal",
  ms(Array.from({ length: 10 }, () => run(sealing(`app/b${String(pools + 1)}`)))),
]);

const object = "nodes/bench/card.json";
rows.push([
  "write of 2 kB",
  ms(await timesOf(rounds, () => source.write(object, new Uint8Array(2000)))),
]);
rows.push(["read of 2 kB", ms(await timesOf(rounds, () => source.read(object, 4096)))]);

const ending = new AbortController();
const heard = new Map<string, number[]>();
let ready = 0;
async function listen(listener: Source): Promise<void> {
  for await (const change of listener.watch?.(["nodes/bench"], ending.signal) ?? []) {
    if (change.kind === "anything") ready++;
    if (change.kind !== "objects") continue;
    for (const path of change.paths) heard.get(path)?.push(performance.now());
  }
}
const sources = await Promise.all(Array.from({ length: watchers }, () => openSource(url, "/")));
const listening = sources.map(listen);
while (ready < watchers) await new Promise((resolve) => setTimeout(resolve, 20));
const delays: number[] = [];
for (let number = 0; number < rounds; number++) {
  const path = `nodes/bench/${String(number)}`;
  heard.set(path, []);
  const begin = performance.now();
  await source.write(path, new Uint8Array(100));
  while ((heard.get(path)?.length ?? 0) < watchers)
    await new Promise((resolve) => setTimeout(resolve, 1));
  delays.push(...(heard.get(path) ?? []).map((at) => at - begin));
}
ending.abort();
await Promise.all(listening);
rows.push([`a change, until each of ${String(watchers)} heard of it`, ms(delays)]);

await etcd.kill(etcd.leader());
rows.push([
  "the first write after the leader was killed",
  ms(await timesOf(1, () => source.write(object, new Uint8Array(2000)))),
]);
rows.push([
  "later ones",
  ms(await timesOf(rounds, () => source.write(object, new Uint8Array(2000)))),
]);

reportMachine(rounds);
console.log("\n| | |\n|---|---:|");
for (const row of rows) console.log(`| ${row.join(" | ")} |`);
