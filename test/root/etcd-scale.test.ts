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

/** What three bundles of a cluster of that size cost to judge, out of an etcd that holds all of it. */
async function costOf(size: Size): Promise<{ readonly ranges: number; readonly bytes: number }> {
  using cluster = new LargeCluster(size);
  await using etcd = await EtcdCluster.start();
  const { directory } = cluster;
  const source = `etcd:${etcd.configuration("root", etcd.issue("root"))}`;
  run(directory, `sealaunch copy --from dir:. --to ${source} --yes`);
  const path = join(directory, "sealaunch.json");
  const configuration = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...configuration, source }));
  const before = await etcd.traffic();
  run(directory, "sealaunch verify app/b1 app/b2 app/b3");
  const after = await etcd.traffic();
  return { ranges: after.ranges - before.ranges, bytes: after.bytes - before.bytes };
}

describe("what is asked of etcd for three bundles", () => {
  it("is the same among 4 bundles and 8 nodes as among 80 and 80", async () => {
    const small = await costOf({ nodes: 8, pools: 4, bundles: 4, generations: 2 });
    const large = await costOf({ nodes: 80, pools: 4, bundles: 80, generations: 2 });
    expect(small.ranges).toBeGreaterThan(20);
    expect(large.ranges).toBe(small.ranges);
    // Signatures of a changing length aside, nothing that is read is longer.
    expect(large.bytes).toBeLessThan(small.bytes * 1.1);
  });
});
