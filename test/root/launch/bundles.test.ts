import { chmod, chown, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createIdentity, encodeIdentity } from "../../../src/crypto/identity.ts";
import { exitStatus, failures, type FailureCode } from "../../../src/failure.ts";
import { root, stranger, TestCluster } from "../../fixtures/cluster.ts";
import { clusterFaults } from "../../fixtures/faults.ts";
import { TestNode } from "../../fixtures/node.ts";
import { refusalLines, type Ended } from "../../fixtures/program.ts";

let node: TestNode;
beforeAll(async () => {
  node = await TestNode.create();
});
afterAll(() => node[Symbol.asyncDispose]());

const options = ["--bundle", "dns", "--user", "nobody", "--unit", "dns.service"];
const launch = (more: readonly string[] = []): Promise<Ended> =>
  node.inPlace(
    [...options, ...more],
    [`${node.busybox}/bin/sh`, "-c", 'cat "$CREDENTIALS_DIRECTORY/CF_TOKEN"'],
  );

function expectRefused(ended: Ended, code: FailureCode): void {
  expect(ended.stderr).toMatch(refusalLines);
  expect(ended.status).toBe(exitStatus[failures[code][0]]);
  expect(ended.stdout.toString()).toBe("");
}

/** Makes the node a member of `cluster`, without what it has seen of others. */
async function joinAfresh(
  cluster: TestCluster,
  change: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await rm(join(node.directory, "state"), { recursive: true, force: true });
  await node.join(cluster, change);
}

describe("launching in place with a bundle", () => {
  it("gives the service its credential, warning of nothing", async () => {
    await using cluster = await TestCluster.create();
    await joinAfresh(cluster);
    const ended = await launch();
    expect(ended).toEqual({ status: 0, stdout: Buffer.from("canary"), stderr: "" });
  });

  it("sets the variables asked for, byte for byte", async () => {
    await using cluster = await TestCluster.create();
    const value = Buffer.from([...Array.from({ length: 255 }, (_, byte) => byte + 1), 10, 10]);
    await cluster.withBundle({}, { KEY: value });
    await joinAfresh(cluster);
    const ended = await node.inPlace(
      [...options, "--env", "VARIABLE=KEY"],
      [`${node.busybox}/bin/cat`, "/proc/self/environ"],
    );
    const found = Buffer.concat([Buffer.from("\0VARIABLE="), value, Buffer.from("\0")]);
    expect(ended.stderr).toBe("");
    expect(Buffer.concat([Buffer.from("\0"), ended.stdout]).includes(found)).toBe(true);
  });

  it.for(Object.entries(clusterFaults))("is refused with %s", async ([title, breakIt]) => {
    await using cluster = await TestCluster.create();
    await joinAfresh(cluster);
    await breakIt(cluster);
    expectRefused(await launch(), title.split(":", 1)[0] as FailureCode);
  });

  it("is refused with roster/absent for a source without roster", async () => {
    await using cluster = await TestCluster.create();
    await joinAfresh(cluster);
    await rm(cluster.path("roster"), { recursive: true });
    expectRefused(await launch(), "roster/absent");
  });

  it("is refused below the floor of the command", async () => {
    await using cluster = await TestCluster.create();
    await joinAfresh(cluster);
    expectRefused(
      await node.inPlace(["--bundle", "dns@2+", "--user", "nobody"], [`${node.busybox}/bin/id`]),
      "bundle/below-floor",
    );
  });

  it("warns of a stale roster, and refuses it only where the node is configured to", async () => {
    await using cluster = await TestCluster.create();
    await joinAfresh(cluster);
    await cluster.withRoster({
      issued: "2026-01-01T00:00:00Z",
      staleAfter: "2026-02-01T00:00:00Z",
    });
    const ended = await launch();
    expect(ended.status).toBe(0);
    expect(ended.stderr).toMatch(
      /^warning: roster 1, issued 2026-01-01T00:00:00Z, is stale since/u,
    );
    await joinAfresh(cluster, { refuseStale: true });
    expectRefused(await launch(), "roster/stale");
  });

  it("says that the clock is behind where it is before what was signed", async () => {
    await using cluster = await TestCluster.create();
    await joinAfresh(cluster);
    await cluster.withRoster({
      issued: "2099-01-01T00:00:00Z",
      staleAfter: "2099-04-01T00:00:00Z",
    });
    const ended = await launch();
    expect(ended.status).toBe(0);
    expect(ended.stderr).toMatch(
      /^warning: roster 1 was issued 2099-01-01T00:00:00Z, and here it is 20/u,
    );
    await joinAfresh(cluster, { refuseStale: true });
    expectRefused(await launch(), "clock/behind");
  });

  it("is refused for a roster that is older than one seen, or has its number and other bytes", async () => {
    await using cluster = await TestCluster.create();
    await joinAfresh(cluster);
    await cluster.withRoster({ generation: 3 });
    expect((await launch()).status).toBe(0);
    await cluster.withRoster({ generation: 3, issued: "2026-11-02T00:00:00Z" });
    expectRefused(await launch(), "mark/equivocation");
    await rm(cluster.path("roster/3"), { recursive: true });
    expectRefused(await launch(), "mark/rolled-back");
  });

  it("is refused for a bundle that is older than one seen", async () => {
    await using cluster = await TestCluster.create();
    await joinAfresh(cluster);
    await cluster.withBundle({ generation: 2 }, { CF_TOKEN: "next" });
    expect((await launch()).stdout.toString()).toBe("next");
    await rm(cluster.path("bundles/dns/0.2"), { recursive: true });
    expectRefused(await launch(), "mark/rolled-back");
  });

  it("needs as many of the configured roots as the node asks for", async () => {
    await using cluster = await TestCluster.create();
    await joinAfresh(cluster, { roots: [root.key, stranger.key], threshold: 2 });
    expectRefused(await launch(), "signature/threshold");
    await cluster.withRoster({}, [root, stranger]);
    expect((await launch()).status).toBe(0);
  });

  it("is refused for an identity that isn't the node's alone", async () => {
    await using cluster = await TestCluster.create();
    await joinAfresh(cluster);
    const identity = join(node.directory, "identity");
    await chmod(identity, 0o440);
    expectRefused(await launch(), "identity/too-open");
    await chmod(identity, 0o400);
    await chown(identity, 65534, 65534);
    expectRefused(await launch(), "identity/wrong-owner");
    await rm(identity);
    expectRefused(await launch(), "identity/missing");
    await writeFile(identity, encodeIdentity(createIdentity()), { mode: 0o400 });
    expectRefused(await launch(), "identity/other-node");
    await rm(identity);
    await writeFile(identity, "AGE-SECRET-KEY-1…", { mode: 0o400 });
    expectRefused(await launch(), "identity/malformed");
  });

  it("is refused for a configuration that is missing, malformed or names no source", async () => {
    await using cluster = await TestCluster.create();
    await joinAfresh(cluster, { source: "ftp:somewhere" });
    expectRefused(await launch(), "source/unknown");
    await joinAfresh(cluster, { threshold: "one" });
    const ended = await launch();
    expectRefused(ended, "configuration/invalid");
    expect(ended.stderr).toContain("threshold");
    await rm(node.configuration);
    expectRefused(await launch(), "configuration/missing");
  });

  it("is refused where a source holds a link, a FIFO or something too large", async () => {
    await using cluster = await TestCluster.create();
    const roster = cluster.path("roster/1/roster.json");
    const replacements = [
      ["ln", "-s", "/etc/passwd", roster],
      ["mkfifo", roster],
      ["truncate", "-s", "2M", roster],
    ];
    for (const [program = "", ...args] of replacements) {
      await joinAfresh(cluster);
      await rm(roster);
      await node.ok(program, args);
      expectRefused(await launch(), "source/hostile");
    }
  });

  it("is refused where two bundles have a credential of the same name, unless one is chosen", async () => {
    await using cluster = await TestCluster.create();
    await cluster.withBundle({ name: "web/site" }, { CF_TOKEN: "other", EXTRA: "extra" });
    await joinAfresh(cluster);
    expectRefused(await launch(["--bundle", "web/site"]), "usage/invalid");
    const some = await node.inPlace(
      ["--bundle", "dns", "--bundle", "web/site", "--credential", "EXTRA", "--user", "nobody"],
      [`${node.busybox}/bin/busybox`, "ls", "/run/sealaunch/service/credentials"],
    );
    expect(some.stdout.toString()).toBe("EXTRA\n");
    expectRefused(await launch(["--credential", "NONE"]), "credential/missing");
  });
});
