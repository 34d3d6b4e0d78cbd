import { describe, expect, it } from "vitest";
import {
  readPool,
  readRoster,
  requirePool,
  requireStatement,
  type Cluster,
} from "../../src/cluster/cluster.ts";
import { openPool } from "../../src/cluster/entries.ts";
import { owedHeaders, type OwedHeader } from "../../src/cluster/rewrapping.ts";
import { sealCredential } from "../../src/cluster/sealing.ts";
import { createIdentity, type Identity } from "../../src/crypto/identity.ts";
import { sealEntry } from "../../src/formats/entry.ts";
import { entryPath, headerPath, payloadPath } from "../../src/formats/paths.ts";
import { manager, signer, TestCluster } from "../fixtures/cluster.ts";
import { refusal } from "../fixtures/refusal.ts";

/** What `rewrap` would write for a bundle, as the holder of `identity`. */
async function rewrap(
  cluster: Cluster,
  bundle: string,
  identity: Identity,
): Promise<readonly OwedHeader[]> {
  const { record: roster } = await readRoster(cluster);
  const statement = await requireStatement(cluster, roster, bundle);
  const reads = await Promise.all(
    statement.audience.map((pool) => readPool(cluster, roster, pool)),
  );
  const pools = reads.flatMap((read) => (read === undefined ? [] : [read.record]));
  const opened = await Promise.all(pools.map((pool) => openPool(cluster, pool, [identity])));
  return owedHeaders(cluster.source, { statement, pools, opened: opened.flat(), all: false });
}

/** A cluster with a second pool, `db`, whose identity the operator has too. */
async function twoPools(): Promise<TestCluster> {
  const test = await TestCluster.create();
  const db = createIdentity();
  await test.withRoster({
    pools: [
      { name: "db", managers: [manager.key] },
      { name: "web", managers: [manager.key] },
    ],
  });
  await test.withPool({ pool: "db", current: { epoch: 1, recipient: db.recipient } });
  const entry = sealEntry(db, test.operator.recipient);
  await test.source.write(entryPath("db", 1, test.operator.recipient), entry);
  return test;
}

describe("rewrapping", () => {
  it("writes what the current epoch is owed", async () => {
    await using test = await TestCluster.create();
    const next = createIdentity();
    await test.withPool({
      generation: 2,
      current: { epoch: 2, recipient: next.recipient },
      leaving: { epoch: 1, recipient: test.poolIdentity.recipient },
    });
    const [owed, ...others] = await rewrap(test.open(), "dns", test.operator);
    expect(others).toEqual([]);
    expect(owed?.path).toMatch(/^headers\/web\/2\/dns\//u);
    expect(owed?.header).toBeDefined();
  });

  it("gives no pool another name's payload", async () => {
    await using test = await twoPools();
    const theirs = test.bundle({ name: "billing" }, { TOKEN: "theirs" });
    for (const [path, bytes] of theirs.objects) {
      await test.source.write(path.replace("/billing/", "/dns/"), bytes);
    }
    await test.withStatement({ ...theirs.statement, name: "dns", audience: ["db", "web"] });
    expect(await refusal(() => rewrap(test.open(), "dns", test.operator))).toBe("payload/mismatch");
  });

  it("widens no audience around sealed bytes", async () => {
    await using test = await twoPools();
    const { statement, objects } = test.bundle({}, { TOKEN: "for web alone" });
    for (const [path, bytes] of objects) await test.source.write(path, bytes);
    await test.withStatement({ ...statement, audience: ["db", "web"] });
    expect(await refusal(() => rewrap(test.open(), "dns", test.operator))).toBe("payload/mismatch");
  });

  it("wraps for no epoch that was over when a value was sealed", async () => {
    await using test = await twoPools();
    // Sealed when web was in epoch 2; the source still shows the pool file of epoch 1.
    const { record: roster } = await readRoster(test.open());
    const db = await requirePool(test.open(), roster, "db");
    const web = await requirePool(test.open(), roster, "web");
    const current = { epoch: 2, recipient: createIdentity().recipient };
    const { cluster } = roster;
    const now = new Date("2026-11-25T12:00:00Z");
    const pools = [db, { ...web, current }];
    const sealing = { cluster, bundle: "dns", pools, sealedBy: signer.key, now };
    const { credential, objects } = sealCredential(sealing, "TOKEN", new Uint8Array(1));
    for (const [path, bytes] of objects) await test.source.write(path, bytes);
    const { statement } = test.bundle({ audience: ["db", "web"] }, {});
    await test.withStatement({ ...statement, credentials: [credential] });
    expect(await refusal(() => rewrap(test.open(), "dns", test.operator))).toBe("mark/rolled-back");
  });

  it("takes no payload on trust that isn't there", async () => {
    await using test = await twoPools();
    const { statement, objects } = test.bundle({}, { TOKEN: "x" });
    const payload = statement.credentials[0]?.payload ?? "";
    const header = headerPath("web", 1, "dns", payload);
    await test.source.write(header, objects.get(header) ?? new Uint8Array());
    await test.withStatement({ ...statement, audience: ["db", "web"] });
    expect([...objects.keys()]).toContain(payloadPath("dns", payload));
    expect(await refusal(() => rewrap(test.open(), "dns", test.operator))).toBe("payload/absent");
  });
});
