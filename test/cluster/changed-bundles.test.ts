import { describe, expect, it } from "vitest";
import { changedBundles } from "../../src/cluster/mirror/changed-bundles.ts";
import type { Mirrored } from "../../src/cluster/mirror/mirroring.ts";

const bundles = ["dns", "dns/inner", "dnsx"];
const epochs = [
  { pool: "web", epoch: 1 },
  { pool: "web", epoch: 2 },
];
const before = { bundles, standing: { roster: {}, pools: ["web"], epochs } } as unknown as Pick<
  Mirrored,
  "bundles" | "standing"
>;
const hash = "0".repeat(64);

describe("which bundles a change is of", () => {
  it.each([
    [["bundles/dns/0.3/statement.json"], ["dns", "dns/inner"]],
    [["bundles/dns/inner/values/x"], ["dns", "dns/inner"]],
    [["bundles/dnsx/0.3/signatures/x"], ["dnsx"]],
    [[`headers/web/1/dns/${hash}`], ["dns", "dns/inner"]],
    [[`headers/web/2/dns/inner/${hash}`], ["dns/inner"]],
    [[`headers/web/2/new/one/${hash}`], ["new/one"]],
    [
      [`headers/web/2/new/${hash}`, "bundles/dnsx/0.1/x"],
      ["dnsx", "new"],
    ],
    [[], []],
  ])("is told from %j", (paths, changed) => {
    expect(changedBundles(before, paths)).toEqual(changed);
  });

  it.each([
    "roster/2/roster.json",
    "pools/web/4/pool.json",
    "entries/web/1/x.age",
    `headers/web/3/dns/${hash}`,
    `headers/db/1/dns/${hash}`,
    "headers/web/1/dns/junk",
    `headers/web/1/${hash}`,
    `headers/web/1/../${hash}`,
    "bundles/unknown/0.1/statement.json",
    "bundles/dns",
    "",
  ])("is not told from %s: all is looked at", (path) => {
    expect(changedBundles(before, [path])).toBeUndefined();
    expect(changedBundles(before, ["bundles/dnsx/0.1/x", path])).toBeUndefined();
  });
});
