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

interface Cost {
  readonly ranges: number;
  readonly bytes: number;
}

/** What the first and the second pass of node n1, which is in one pool with one bundle, ask of an etcd that has such a cluster. */
async function costsOf(size: Size): Promise<[first: Cost, second: Cost]> {
  using cluster = new LargeCluster(size);
  await using etcd = await EtcdCluster.start();
  const { directory } = cluster;
  const source = `etcd:${etcd.configuration("root", etcd.issue("root"))}`;
  run(directory, `sealaunch copy --from dir:. --to ${source} --yes`);
  const path = join(directory, "n1/node.json");
  const configuration = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...configuration, source }));
  const pass = async (): Promise<Cost> => {
    const before = await etcd.traffic();
    run(directory, "sealaunch sync --config n1/node.json --mirror n1/mirror");
    const after = await etcd.traffic();
    return { ranges: after.ranges - before.ranges, bytes: after.bytes - before.bytes };
  };
  return [await pass(), await pass()];
}

describe("what a node's pass asks of etcd", () => {
  it("is the same with 40 pools, 40 nodes and 1 bundle there as with 200 of each", async () => {
    const small = await costsOf({ nodes: 40, pools: 40, bundles: 1, generations: 2 });
    const large = await costsOf({ nodes: 200, pools: 200, bundles: 200, generations: 2 });
    expect(small[0].ranges).toBeGreaterThan(10);
    expect(large.map(({ ranges }) => ranges)).toEqual(small.map(({ ranges }) => ranges));
    // The roster names 160 pools more, and the first pass is told the names of their entries.
    expect(large[0].bytes - small[0].bytes).toBeLessThan(160 * 450);
    expect(large[1].bytes - small[1].bytes).toBeLessThan(160 * 200);
  });
});
