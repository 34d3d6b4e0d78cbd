import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readRoster, requirePool, requireStatement } from "../../src/cluster/cluster.ts";
import { openCredentials } from "../../src/cluster/opening.ts";
import { createIdentity, type Identity } from "../../src/crypto/identity.ts";
import { textOf } from "../../src/crypto/bytes.ts";
import { poolPath, rosterPath, statementPath } from "../../src/formats/paths.ts";
import { judgeStart, type Asking } from "../../src/trust/statement.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { TestCluster } from "../fixtures/cluster.ts";
import { clusterFaults } from "../fixtures/faults.ts";
import { refusal } from "../fixtures/refusal.ts";

const asking: Asking = { unit: "dns.service", inPlace: true, floor: 0 };

/** The whole way of a start: from the root keys to the values. */
async function start(
  cluster: Cluster,
  identity: Identity,
  {
    bundle = "dns",
    node = "n1",
    ...asked
  }: Partial<Asking> & { bundle?: string; node?: string } = {},
): Promise<string[]> {
  const { record: roster } = await readRoster(cluster);
  const statement = await requireStatement(cluster, roster, bundle);
  judgeStart(statement, roster, { ...asking, ...asked }, cluster.now);
  const opened = await openCredentials(cluster, roster, statement, [identity], { node });
  return opened.map(({ name, value }) => `${name}=${textOf(value) ?? "?"}`);
}

describe("a start from a source", () => {
  it("opens for a member and for an operator", async () => {
    await using test = await TestCluster.create();
    expect(await start(test.open(), test.node)).toEqual(["CF_TOKEN=canary"]);
    expect(await start(test.open(), test.operator)).toEqual(["CF_TOKEN=canary"]);
  });

  it("opens with whichever of a node's two identities has an entry, while it rotates", async () => {
    await using test = await TestCluster.create();
    const cluster = test.open();
    const { record: roster } = await readRoster(cluster);
    const statement = await requireStatement(cluster, roster, "dns");
    for (const identities of [
      [test.node, createIdentity()],
      [createIdentity(), test.node],
    ]) {
      const opened = await openCredentials(cluster, roster, statement, identities);
      expect(opened.map(({ value }) => textOf(value))).toEqual(["canary"]);
    }
    const strangers = [createIdentity(), createIdentity()];
    await expect(openCredentials(cluster, roster, statement, strangers)).rejects.toMatchObject({
      code: "bundle/not-for-node",
    });
  });

  it("finds the good signature behind any number that a writer of the source puts beside it", async () => {
    await using test = await TestCluster.create();
    const junk = new TextEncoder().encode("-----BEGIN SSH SIGNATURE-----\n");
    for (const folder of [rosterPath(1), poolPath("web", 1), statementPath("dns", 0, 1)]) {
      for (let number = 0; number < 64; number++) {
        const id = number.toString(16).padStart(32, "0");
        await writeFile(join(test.path(folder), "signatures", `${id}.sig`), junk);
      }
    }
    expect(await start(test.open(), test.node)).toEqual(["CF_TOKEN=canary"]);
  });

  it.for(Object.entries(clusterFaults))("is refused with %s", async ([title, breakIt]) => {
    await using test = await TestCluster.create();
    await breakIt(test);
    expect(await refusal(() => start(test.open(), test.node))).toBe(title.split(":", 1)[0]);
  });

  it("is refused for the identity of another node", async () => {
    await using test = await TestCluster.create();
    const other = createIdentity();
    expect(await refusal(() => start(test.open(), other))).toBe("identity/other-node");
    expect(await refusal(() => start(test.open(), other, { node: "n9" }))).toBe(
      "bundle/not-for-node",
    );
  });

  it("is refused below the floor of the command, and not at it", async () => {
    await using test = await TestCluster.create();
    expect(await refusal(() => start(test.open(), test.node, { floor: 2 }))).toBe(
      "bundle/below-floor",
    );
    expect(await refusal(() => start(test.open(), test.node, { floor: 1 }))).toBe("none");
  });

  it("gives every instance of a templated unit what is for NAME@", async () => {
    await using test = await TestCluster.create();
    await test.withBundle({ units: ["dns@"] }, { CF_TOKEN: "x" });
    expect(await refusal(() => start(test.open(), test.node, { unit: "dns@eu.service" }))).toBe(
      "none",
    );
    expect(await refusal(() => start(test.open(), test.node, { unit: "dns.service" }))).toBe(
      "bundle/wrong-unit",
    );
  });

  it("opens through the epoch that is being left while the new one has no entry yet", async () => {
    await using test = await TestCluster.create();
    const next = createIdentity();
    await test.withPool({
      generation: 2,
      current: { epoch: 2, recipient: next.recipient },
      leaving: { epoch: 1, recipient: test.poolIdentity.recipient },
    });
    expect(await start(test.open(), test.node)).toEqual(["CF_TOKEN=canary"]);
  });

  it("asks for a signer's scope by whole segments", async () => {
    await using test = await TestCluster.create();
    await test.withBundle({ name: "web/site" }, { CF_TOKEN: "x" });
    expect(await refusal(() => start(test.open(), test.node, { bundle: "web/site" }))).toBe("none");
    await test.withBundle({ name: "website" }, { CF_TOKEN: "x" });
    expect(await refusal(() => start(test.open(), test.node, { bundle: "website" }))).toBe(
      "signer/not-allowed",
    );
  });

  it("needs a pool file before anything is sealed for the pool", async () => {
    await using test = await TestCluster.create();
    await rm(test.path("pools/web"), { recursive: true });
    const cluster = test.open();
    const { record: roster } = await readRoster(cluster);
    expect(await refusal(() => requirePool(cluster, roster, "web"))).toBe("pool/absent");
  });
});
