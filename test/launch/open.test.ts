import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCredentials } from "../../src/cluster/opening.ts";
import { readRoster, requireStatement } from "../../src/cluster/cluster.ts";
import { openBundles } from "../../src/launch/open.ts";
import type { Statement } from "../../src/formats/records/statement.ts";
import { root, TestCluster } from "../fixtures/cluster.ts";

let test: TestCluster;
let statement: Statement;
beforeAll(async () => {
  test = await TestCluster.create();
  statement = await test.withBundle({ generation: 2 }, { A: new Uint8Array(1024 * 1024) });
});
afterAll(() => test[Symbol.asyncDispose]());

/** Has the bundle name its one payload so often, as of that size class. */
async function nameOften(generation: number, count: number, sizeClass: number): Promise<void> {
  const [one] = statement.credentials;
  if (one === undefined) throw new Error("it has a credential");
  const names = Array.from({ length: count }, (_, index) => `C${String(1000 + index)}`);
  const credentials = names.map((name) => ({ ...one, name, sizeClass }));
  await test.withStatement({ ...statement, generation, credentials });
}

describe("a bundle that names more than could be delivered", () => {
  it("is refused before anything of it is opened", async () => {
    await nameOften(3, 40, 2 * 1024 * 1024);
    const configuration = {
      cluster: test.roster({}).cluster,
      source: `dir:${test.directory}`,
      roots: [root.key],
      threshold: 1,
      node: "n1",
      identity: "/nowhere",
      state: `${test.directory}/state`,
      keepClosures: 7,
      refuseStale: false,
    };
    const located = { configuration, path: "node.json", directory: test.directory };
    const request = {
      bundles: [{ bundle: "dns", floor: 0 }],
      credentials: undefined,
      unit: "dns.service",
      inPlace: false,
    };
    const readIdentities = (): Promise<never> => Promise.reject(new Error("it was asked for"));
    const { now } = test.open();
    await expect(openBundles(request, located, readIdentities, now)).rejects.toMatchObject({
      code: "credential/too-large",
    });
  });

  it("has few of its payloads read at the same time, and none after one that isn't what it should be", async () => {
    await nameOften(4, 500, 1024);
    const cluster = test.open();
    const read: string[] = [];
    const counting = {
      ...cluster,
      source: {
        ...cluster.source,
        read: (path: string, maxBytes: number) => {
          if (path.includes("/values/")) read.push(path);
          return cluster.source.read(path, maxBytes);
        },
      },
    };
    const { record: roster } = await readRoster(counting);
    const verified = await requireStatement(counting, roster, "dns");
    await expect(openCredentials(counting, roster, verified, [test.node])).rejects.toMatchObject({
      code: "payload/malformed",
    });
    expect(read.length).toBeGreaterThan(0);
    expect(read.length).toBeLessThan(20);
  });
});
