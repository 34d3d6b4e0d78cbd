import { rename } from "node:fs/promises";
import { expect, it } from "vitest";
import { readPool, readRoster, type Cluster } from "../../src/cluster/cluster.ts";
import { createMemory } from "../../src/cluster/memory.ts";
import { manager, TestCluster } from "../fixtures/cluster.ts";
import { refusal } from "../fixtures/refusal.ts";

/** The cluster as a process sees it that goes on, such as an agent. */
function openForLong(test: TestCluster): Cluster {
  return { ...test.open(), memory: createMemory(100) };
}

it("takes no roster that was judged before for one of another number", async () => {
  await using test = await TestCluster.create();
  const cluster = openForLong(test);
  await readRoster(cluster);
  await rename(test.path("roster/1"), test.path("roster/9"));
  expect(await refusal(() => readRoster(cluster))).toBe("roster/malformed");
});

it("takes no pool file that was judged before for another pool's", async () => {
  await using test = await TestCluster.create();
  const pools = ["db", "web"].map((name) => ({ name, managers: [manager.key] }));
  await test.withRoster({ pools });
  const cluster = openForLong(test);
  const { record: roster } = await readRoster(cluster);
  await readPool(cluster, roster, "web");
  await rename(test.path("pools/web"), test.path("pools/db"));
  expect(await refusal(() => readPool(cluster, roster, "db"))).toBe("pool/malformed");
});
