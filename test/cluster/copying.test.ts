import { describe, expect, it } from "vitest";
import { checkBundle, checkPool } from "../../src/cluster/checking.ts";
import { findRoster, type Cluster } from "../../src/cluster/cluster.ts";
import { openRepository, requireRepository } from "../../src/cluster/configuration.ts";
import { planCopy } from "../../src/cluster/copying/copying.ts";
import { expectDone } from "../fixtures/ended.ts";
import { Workplace } from "../fixtures/worked-example.ts";

const each = async <T>(_: string, things: readonly T[], act: (thing: T) => Promise<void>) => {
  for (const thing of things) await act(thing);
};

async function clusterIn(directory: string): Promise<Cluster> {
  return openRepository(await requireRepository(directory), new Date());
}

/** What is wrong for who reads the source now; nothing while it has no roster. */
async function faultsOf(cluster: Cluster): Promise<string[]> {
  const roster = (await findRoster(cluster))?.record;
  if (roster === undefined) return [];
  const findings = [
    await checkPool(cluster, roster, "web"),
    await checkBundle(cluster, roster, "dns", undefined),
  ];
  return findings.flatMap(({ failures }) => failures.map(({ code }) => code));
}

describe("a copy", () => {
  it.for([
    ["to an empty source", ["keys", "secrets"]],
    [
      "to one that was left before a node, a signer and a generation came",
      ["keys/roster/4", "keys/pools/web/2", "secrets/bundles/dns/0.2"],
    ],
  ] as const)("%s lets readers start at every moment", async ([, gone]) => {
    using newer = Workplace.followed();
    using older = new Workplace(newer.top);
    expectDone(older.run(`rm -r ${gone.join(" ")}`));
    const [from, to] = [await clusterIn(newer.directory), await clusterIn(older.directory)];
    expect(await faultsOf(to)).toEqual([]);
    const { steps } = await planCopy(from, to, [], each);
    expect(steps.length).toBeGreaterThanOrEqual(gone.length);
    for (const step of steps) {
      await step.carry();
      expect(await faultsOf(to), step.path).toEqual([]);
    }
    expectDone(older.run(`diff -r . ${newer.directory}`));
    expect((await planCopy(from, to, [], each)).steps).toEqual([]);
  });
});
