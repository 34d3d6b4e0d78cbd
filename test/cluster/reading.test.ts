import { rm, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { readRoster, requirePool, requireStatement } from "../../src/cluster/cluster.ts";
import { openCredentials } from "../../src/cluster/opening.ts";
import { createIdentity, type Identity } from "../../src/crypto/identity.ts";
import { textOf } from "../../src/crypto/bytes.ts";
import { entryPath, headerPath, payloadPath } from "../../src/formats/paths.ts";
import { judgeStart, type Asking } from "../../src/trust/statement.ts";
import type { Cluster } from "../../src/cluster/cluster.ts";
import { manager, root, signer, stranger, TestCluster } from "../fixtures/cluster.ts";
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
  const opened = await openCredentials(cluster, roster, statement, identity, { node });
  return opened.map(({ name, value }) => `${name}=${textOf(value) ?? "?"}`);
}

describe("a start from a source", () => {
  it("opens for a member and for an operator", async () => {
    await using test = await TestCluster.create();
    expect(await start(test.open(), test.node)).toEqual(["CF_TOKEN=canary"]);
    expect(await start(test.open(), test.operator)).toEqual(["CF_TOKEN=canary"]);
  });

  const faults: Record<string, (test: TestCluster) => Promise<unknown>> = {
    "signature/unknown-signer: a roster by an unknown root": (test) =>
      test.withRoster({}, [stranger]),
    "signature/threshold: a roster below its own threshold": (test) =>
      test.withRoster({ threshold: 2, roots: [root.key, stranger.key].sort() }, [root]),
    "roster/malformed: a roster under another number": async (test) => {
      await test.withRoster({ generation: 2 });
      const { rename } = await import("node:fs/promises");
      await rename(test.path("roster/2"), test.path("roster/3"));
    },
    "cluster/mismatch: a roster of another cluster": (test) =>
      test.withRoster({ cluster: "ffeeddccbbaa99887766554433221100" }),
    "pool/unknown: a bundle for a pool that the roster doesn't know": (test) =>
      test.withBundle({ audience: ["db"] }, { CF_TOKEN: "x" }),
    "bundle/not-for-node: a bundle for a pool without members": async (test) => {
      await test.withRoster({
        pools: [
          { name: "db", managers: [manager.key] },
          { name: "web", managers: [manager.key] },
        ],
      });
      await test.withBundle({ audience: ["db"] }, { CF_TOKEN: "x" });
    },
    "signature/unknown-signer: a pool file by somebody who is no manager": (test) =>
      test.withPool({}, [root]),
    "cluster/mismatch: a pool file of another cluster": (test) =>
      test.withPool({ cluster: "ffeeddccbbaa99887766554433221100" }),
    "signature/unknown-signer: a statement by nobody whom the roster knows": (test) =>
      test.withBundle({}, { CF_TOKEN: "x" }, [stranger]),
    "signer/not-allowed: a statement by a signer of other names": async (test) => {
      await test.withRoster({
        signers: [{ name: "ada", signer: signer.key, names: ["web/"], expires: null }],
      });
    },
    "signer/expired: a statement by a signer whose time is over": async (test) => {
      await test.withRoster({
        signers: [
          { name: "ada", signer: signer.key, names: ["dns"], expires: "2026-11-24T00:00:00Z" },
        ],
      });
    },
    "cluster/mismatch: a statement of another cluster": (test) =>
      test.withBundle({ cluster: "ffeeddccbbaa99887766554433221100" }, { CF_TOKEN: "x" }),
    "bundle/wrong-name: another bundle's statement under this name": async (test) => {
      const { statement } = test.bundle({ name: "web/site" }, { CF_TOKEN: "x" });
      await test.withStatement(statement);
      const { cp } = await import("node:fs/promises");
      await rm(test.path("bundles/dns/0.1"), { recursive: true });
      await cp(test.path("bundles/web/site/0.1"), test.path("bundles/dns/0.1"), {
        recursive: true,
      });
    },
    "bundle/absent: no bundle of that name": async (test) => {
      await rm(test.path("bundles/dns"), { recursive: true });
    },
    "bundle/expired: a bundle past its expiry": (test) =>
      test.withBundle({ expires: "2026-11-25T12:00:00Z" }, { CF_TOKEN: "x" }),
    "bundle/not-in-place: a bundle that may not be opened in place": (test) =>
      test.withBundle({ inPlace: false }, { CF_TOKEN: "x" }),
    "bundle/wrong-unit: a bundle for other units": (test) =>
      test.withBundle({ units: ["dns@", "mail.service"] }, { CF_TOKEN: "x" }),
    "bundle/below-minimum: a generation that the roster put out of use": (test) =>
      test.withRoster({ names: [{ name: "dns", series: 0, minimum: 2 }] }),
    "bundle/absent: a bundle of a series that the roster has left": (test) =>
      test.withRoster({ names: [{ name: "dns", series: 1, minimum: 0 }] }),
    "entry/absent: a member whose entry is owed": async (test) => {
      await rm(test.path(entryPath("web", 1, test.node.recipient)));
    },
    "entry/mismatch: an entry that opens to another pool's identity": (test) =>
      test.withEntry(test.node, createIdentity()),
    "header/absent: no header for the pool's epoch": async (test) => {
      await test.withPool({ current: { epoch: 2, recipient: test.poolIdentity.recipient } });
      await test.withEntry(test.node, test.poolIdentity, 2);
    },
    "payload/absent: no payload": async (test) => {
      await rm(test.path("bundles/dns/values"), { recursive: true });
    },
    "payload/hash: another payload under the name": async (test) => {
      const { statement } = test.bundle({}, { CF_TOKEN: "other" });
      const written = await test.withBundle({}, { CF_TOKEN: "canary" });
      const other = test.bundle({}, { CF_TOKEN: "other" });
      const [bytes] = [...other.objects]
        .filter(([path]) => path.includes("/values/"))
        .map(([, b]) => b);
      const path = payloadPath("dns", written.credentials[0]?.payload ?? "");
      await writeFile(test.path(path), bytes ?? statement.name);
    },
    "payload/commitment: another file key's header": async (test) => {
      const other = test.bundle({}, { CF_TOKEN: "other" });
      const written = await test.withBundle({}, { CF_TOKEN: "canary" });
      const [header] = [...other.objects]
        .filter(([path]) => path.startsWith("headers/"))
        .map(([, b]) => b);
      const path = headerPath("web", 1, "dns", written.credentials[0]?.payload ?? "");
      await writeFile(test.path(path), header ?? "");
    },
    "payload/mismatch: another name's payload under an own statement": async (test) => {
      const other = test.bundle({ name: "billing" }, { CF_TOKEN: "theirs" });
      for (const [path, object] of other.objects) {
        await test.source.write(path.replace("/billing/", "/dns/"), object);
      }
      await test.withStatement(
        test.bundle({ credentials: other.statement.credentials }, {}).statement,
      );
    },
    "payload/mismatch: a wider audience around sealed bytes": async (test) => {
      await test.withRoster({
        pools: [
          { name: "db", managers: [manager.key] },
          { name: "web", managers: [manager.key] },
        ],
      });
      const { statement, objects } = test.bundle({}, { CF_TOKEN: "x" });
      for (const [path, object] of objects) await test.source.write(path, object);
      await test.withStatement({ ...statement, audience: ["db", "web"] });
    },
  };
  it.for(Object.entries(faults))("is refused with %s", async ([title, breakIt]) => {
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
