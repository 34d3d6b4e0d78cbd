import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkBundle, checkPool } from "../../src/cluster/checking.ts";
import { findRoster, type Cluster } from "../../src/cluster/cluster.ts";
import { openRepository, requireRepository } from "../../src/cluster/configuration.ts";
import type { Each } from "../../src/cluster/each.ts";
import { planCopy } from "../../src/cluster/copying/copying.ts";
import { inParallel } from "../../src/host/in-parallel.ts";
import { expectDone } from "../fixtures/ended.ts";
import { Workplace } from "../fixtures/worked-example.ts";

const each: Each = (_, things, act) => inParallel(1, things, act);

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
  const all = ["keys", "secrets"];
  const last = ["keys/roster/4", "keys/pools/web/2", "secrets/bundles/dns/0.2"];
  it.for([
    ["in the order of the plan, to an empty source", all, false],
    ["in the reverse order, to an empty source", all, true],
    [
      "in the order of the plan, to one that was left before a node, a signer and a generation came",
      last,
      false,
    ],
    [
      "in the reverse order, to one that was left before a node, a signer and a generation came",
      last,
      true,
    ],
  ] as const)("lets readers start at every moment, each phase %s", async ([, gone, isReversed]) => {
    using newer = Workplace.followed();
    using older = new Workplace(newer.top);
    expectDone(older.run(`rm -r ${gone.join(" ")}`));
    const [from, to] = [await clusterIn(newer.directory), await clusterIn(older.directory)];
    expect(await faultsOf(to)).toEqual([]);
    const { phases } = await planCopy(from, to, [], each);
    expect(phases.flat().length).toBeGreaterThanOrEqual(gone.length);
    const inOrder = phases.map((steps) => (isReversed ? steps.toReversed() : steps));
    for (const step of inOrder.flat()) {
      await step.carry();
      expect(await faultsOf(to), step.path).toEqual([]);
    }
    expectDone(older.run(`diff -r . ${newer.directory}`));
    expect((await planCopy(from, to, [], each)).phases).toEqual([]);
  });

  it.for([
    ["cut short", (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ["emptied", () => Buffer.alloc(0)],
    ["changed", (bytes: Buffer) => bytes.fill("X", 60, 61)],
    ["gone", () => undefined],
  ] as const)("brings anew each object that is %s there", async ([what, damage]) => {
    using whole = Workplace.followed();
    using harmed = new Workplace(whole.top);
    const [from, to] = [await clusterIn(whole.directory), await clusterIn(harmed.directory)];
    const paths = ["keys", "secrets"].flatMap((room) =>
      readdirSync(join(whole.directory, room), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(whole.directory.length + 1)),
    );
    expect(paths.length).toBeGreaterThan(20);
    // That a byte of them is another is seen only by whom they are for.
    const isSeen = (path: string): boolean =>
      what !== "changed" || !/^(?:keys\/entries|secrets\/headers)\//u.test(path);
    for (const path of paths.filter(isSeen)) {
      const good = readFileSync(join(whole.directory, path));
      const bytes = damage(Buffer.from(good));
      const place = join(harmed.directory, path);
      if (bytes === undefined) rmSync(place);
      else writeFileSync(place, bytes);
      const { phases } = await planCopy(from, to, [], each);
      for (const step of phases.flat()) await step.carry();
      expect(readFileSync(place).equals(good), path).toBe(true);
      expect((await planCopy(from, to, [], each)).phases, path).toEqual([]);
    }
    expectDone(harmed.run(`diff -r . ${whole.directory}`));
  });

  it("carries the signatures that verify, however many others lie beside them", async () => {
    using whole = Workplace.followed();
    using empty = new Workplace(whole.top);
    expectDone(empty.run("rm -r keys secrets"));
    for (const folder of ["keys/roster/4", "keys/pools/web/2", "secrets/bundles/dns/0.2"]) {
      for (let number = 0; number < 40; number++) {
        const name = `${String(number).padStart(32, "0")}.sig`;
        writeFileSync(join(whole.directory, folder, "signatures", name), "nobody's");
      }
    }
    const [from, to] = [await clusterIn(whole.directory), await clusterIn(empty.directory)];
    for (const step of (await planCopy(from, to, [], each)).phases.flat()) await step.carry();
    expect(await faultsOf(to)).toEqual([]);
    const signatures = join(empty.directory, "secrets/bundles/dns/0.2/signatures");
    expect(readdirSync(signatures)).toHaveLength(1);
  });

  it("says where a roster is damaged that it can't bring anew", async () => {
    using newer = Workplace.followed();
    using older = new Workplace(newer.top);
    expectDone(older.run("rm -r keys/roster/4"));
    const roster = join(newer.directory, "keys/roster/4/roster.json");
    writeFileSync(roster, readFileSync(roster, "utf8").slice(1));
    const [from, to] = [await clusterIn(older.directory), await clusterIn(newer.directory)];
    await expect(planCopy(from, to, [], each)).rejects.toMatchObject({
      code: "signature/invalid",
      message: expect.stringContaining(`dir:${newer.directory}: roster 4`) as string,
    });
  });
});
