import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createIdentity } from "../../src/crypto/identity.ts";
import { exitStatus, failures, type FailureCode } from "../../src/failure.ts";
import { entryPath, payloadPath } from "../../src/formats/paths.ts";
import { hostKey, manager, root, stranger, TestCluster } from "../fixtures/cluster.ts";
import { refusalLines, sealaunch, type Ended } from "../fixtures/program.ts";

// Nodes that are nowhere: what is refused here is refused before one is reached.
const hosts = { n1: "root@n1.invalid", n2: "root@n2.invalid" };

let test: TestCluster;
beforeEach(async () => {
  test = await TestCluster.create();
  const { cluster } = test.roster({});
  const configuration = { cluster, source: "dir:.", roots: [root.key], threshold: 1, hosts };
  await writeFile(join(test.directory, "sealaunch.json"), JSON.stringify(configuration));
});
afterEach(() => test[Symbol.asyncDispose]());

const program = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-dns-1/bin/dns";

async function deploy(change: object = {}): Promise<Ended> {
  const service = { version: 1, name: "dns", program, bundles: ["dns@1+"], ...change };
  await writeFile(join(test.directory, "dns.json"), JSON.stringify(service));
  return sealaunch(["deploy", "dns.json"], { cwd: test.directory });
}

/** After it, the pool has a second node, whose entry is or isn't written. */
async function withSecondNode(hasEntry: boolean): Promise<void> {
  const identity = createIdentity();
  const n2 = { node: "n2", recipient: identity.recipient, hostKey: hostKey.key };
  await test.withPool({}, [manager], [test.member(), n2]);
  if (hasEntry) await test.withEntry(identity);
}

describe("deploy, before any node is reached", () => {
  it("asks each node of the pool, and no other", async () => {
    await withSecondNode(true);
    const { status, stdout } = await deploy();
    expect(stdout.toString()).toMatch(
      /^n1 +root@n1\.invalid +not reached .*\nn2 +root@n2\.invalid +not reached /mu,
    );
    expect(status).toBe(69);
  });

  it.each<[what: string, mar: () => Promise<unknown>, code: FailureCode, named: RegExp]>([
    [
      "a node without an entry",
      () => withSecondNode(false),
      "entry/absent",
      /^error: node n2 can't start dns\.service: bundle dns: pool web has no entry of node n2 for epoch 1$/mu,
    ],
    [
      "a bundle without headers of the pool's epoch",
      async () => {
        const identity = createIdentity();
        await test.withPool({ current: { epoch: 2, recipient: identity.recipient } });
        await test.withEntry(test.node, identity, 2);
      },
      "header/absent",
      /^error: node n1 can't start dns\.service: .*CF_TOKEN.*web epoch 2/mu,
    ],
    [
      "a payload that is gone",
      async () => {
        const { credentials } = await test.withBundle({}, { CF_TOKEN: "x" });
        await rm(test.path(payloadPath("dns", credentials[0]?.payload ?? "")));
      },
      "payload/absent",
      /^error: node n1 can't start dns\.service: /mu,
    ],
    [
      "a node whose entry is gone",
      () => rm(test.path(entryPath("web", 1, test.node.recipient))),
      "entry/absent",
      /^error: node n1 can't start dns\.service: .*no entry of node n1/mu,
    ],
    [
      "a bundle that is for another unit",
      () => test.withBundle({ units: ["web.service"] }, { CF_TOKEN: "x" }),
      "bundle/wrong-unit",
      /^error: .*dns.*web\.service/mu,
    ],
    [
      "a bundle that is signed by who may not sign its name",
      () => test.withBundle({}, { CF_TOKEN: "x" }, [stranger]),
      "signature/unknown-signer",
      /^error: bundle dns /mu,
    ],
    [
      "a floor above what is sealed",
      () => Promise.resolve(),
      "bundle/below-floor",
      /^error: bundle dns .*9/mu,
    ],
  ])("refuses %s", async (what, mar, code, named) => {
    await mar();
    const { status, stdout, stderr } = await deploy(
      what.startsWith("a floor") ? { bundles: ["dns@9+"] } : {},
    );
    expect(stderr).toMatch(refusalLines);
    expect(stderr).toMatch(named);
    expect(status).toBe(exitStatus[failures[code][0]]);
    expect(stdout.toString()).toBe("");
  });
});
