import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { EtcdCluster } from "../fixtures/etcd.ts";
import { LargeCluster, type Size } from "../fixtures/large-cluster.ts";
import { cleanEnvironment, sealaunchPath } from "../fixtures/program.ts";

/** Runs a command in the cluster's directory, to its good end. */
function run(directory: string, command: string): void {
  const { status, stderr } = spawnSync("sh", ["-c", command], {
    cwd: directory,
    encoding: "utf8",
    env: {
      ...cleanEnvironment,
      PATH: `${dirname(sealaunchPath)}:${cleanEnvironment.PATH}`,
      XDG_STATE_HOME: join(directory, "state"),
    },
  });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
}

/** What a pass of node n1, which is in one pool with one bundle, asks of an etcd that has such a cluster. */
async function costOf(size: Size): Promise<{ readonly ranges: number; readonly bytes: number }> {
  using cluster = new LargeCluster(size);
  await using etcd = await EtcdCluster.start();
  const { directory } = cluster;
  const source = `etcd:${etcd.configuration("root", etcd.issue("root"))}`;
  run(directory, `sealaunch copy --from dir:. --to ${source} --yes`);
  const path = join(directory, "n1/node.json");
  const configuration = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...configuration, source }));
  const before = await etcd.traffic();
  run(directory, "sealaunch sync --config n1/node.json --mirror n1/mirror");
  const after = await etcd.traffic();
  return { ranges: after.ranges - before.ranges, bytes: after.bytes - before.bytes };
}

describe("what a node's pass asks of etcd", () => {
  it("is the same with 1 bundle and 40 nodes there as with 40 bundles of other pools and 200 nodes", async () => {
    const small = await costOf({ nodes: 40, pools: 40, bundles: 1, generations: 2 });
    const large = await costOf({ nodes: 200, pools: 40, bundles: 40, generations: 2 });
    expect(small.ranges).toBeGreaterThan(20);
    expect(large.ranges).toBe(small.ranges);
    // Of its own pool's four more members it reads the list.
    expect(large.bytes - small.bytes).toBeLessThan(20_000);
  });
});
