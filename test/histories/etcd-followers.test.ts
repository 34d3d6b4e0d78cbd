import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSource } from "../../src/sources/open.ts";
import type { Source } from "../../src/sources/source.ts";
import { openMirror } from "../../src/sources/mirror.ts";
import { EtcdCluster } from "../fixtures/etcd.ts";
import { follow, timesToMirrors } from "../fixtures/followers.ts";
import { LargeCluster } from "../fixtures/large-cluster.ts";
import { cleanEnvironment, sealaunchPath } from "../fixtures/program.ts";
import { count } from "../soak.ts";

let cluster: LargeCluster;
let etcd: EtcdCluster;
let source: Source;
beforeAll(async () => {
  cluster = new LargeCluster({ nodes: 20, pools: 2, bundles: 10, generations: 1 });
  etcd = await EtcdCluster.start();
  const url = `etcd:${etcd.configuration("root", etcd.issue("root"))}`;
  run(`sealaunch copy --from dir:. --to ${url} --yes`);
  const node = join(cluster.directory, "n1/node.json");
  const configuration = JSON.parse(readFileSync(node, "utf8")) as object;
  writeFileSync(node, JSON.stringify({ ...configuration, source: url }));
  source = await openSource(url, "/");
});
afterAll(async () => {
  await etcd[Symbol.asyncDispose]();
  cluster[Symbol.dispose]();
});

/** Runs a command in the cluster's directory, to its good end. */
function run(command: string): void {
  const { status, stderr } = spawnSync("sh", ["-c", command], {
    cwd: cluster.directory,
    encoding: "utf8",
    env: {
      ...cleanEnvironment,
      PATH: `${dirname(sealaunchPath)}:${cleanEnvironment.PATH}`,
      XDG_STATE_HOME: join(cluster.directory, "state"),
    },
  });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
}

describe("processes that follow etcd", () => {
  it("have in their mirrors what is sealed, all 20 of them", async () => {
    const [followers, rounds] = [20, count(20)];
    const times = await timesToMirrors(source, followers, {
      directory: cluster.directory,
      node: "n1/node.json",
      bundle: "app/b1",
      seal: () => {
        run("printf value | sealaunch seal app/b1 TOKEN=- --signer ann");
      },
      rounds,
    });
    expect(times).toHaveLength(followers * rounds);
    // How fast, on a machine that does little else, says the benchmark.
    expect(Math.max(...times)).toBeLessThan(60_000);
  }, 600_000);

  it("need no more memory after thousands of changes than after few", async () => {
    const folders = ["app/b3", "app/b5"].map((bundle) => `headers/p1/1/${bundle}`);
    const paths = await Promise.all(
      folders.map(async (folder) => `${folder}/${(await source.list(folder))[0] ?? ""}`),
    );
    const headers = await Promise.all(paths.map((path) => source.read(path, 10_000)));
    const [path = ""] = paths;
    const directory = join(cluster.directory, "mirror-of-one");
    const follower = follow(cluster.directory, "n1/node.json", directory);
    const resident = (): number => {
      const status = readFileSync(`/proc/${String(follower.pid)}/status`, "utf8");
      return 1024 * Number(/^VmRSS:\s+(\d+)/mu.exec(status)?.[1]);
    };
    const mirrored = async (): Promise<Uint8Array> =>
      (await openMirror(directory).read(path, 10_000)) ?? new Uint8Array();
    const sizes: number[] = [];
    for (let change = 0; change < count(10_000); change++) {
      const bytes = headers[change % 2] ?? new Uint8Array();
      await source.write(path, bytes);
      const deadline = Date.now() + 60_000;
      // Others come faster than they are followed, as they do.
      while (change % 10 === 9 && Buffer.compare(await mirrored(), bytes) !== 0) {
        if (Date.now() > deadline) {
          follower.kill("SIGKILL");
          throw new Error(`change ${String(change)} isn't in the mirror`);
        }
        await pause(2);
      }
      sizes.push(resident());
    }
    const ended = once(follower, "close");
    follower.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    const most = (some: readonly number[]): number => Math.max(...some);
    const half = sizes.length / 2;
    expect(most(sizes.slice(half)) - most(sizes.slice(0, half))).toBeLessThan(16 * 2 ** 20);
    expect(most(sizes)).toBeLessThan(192 * 2 ** 20);
  }, 1_800_000);
});
