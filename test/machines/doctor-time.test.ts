import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeIdentity } from "../../src/crypto/identity.ts";
import { root, signer, TestCluster } from "../fixtures/cluster.ts";
import { okOnHost } from "./host.ts";
import { machine, type Machine } from "./machine.ts";

const longAgo = "2020-01-01T00:00:00Z";
const future = "2099-01-01T00:00:00Z";

let node: Machine;
let cluster: TestCluster;
beforeAll(async () => {
  node = await machine();
  await node.unit(
    "dns.service",
    `[Service]
Type=exec
LoadCredential=CF_TOKEN:/run/sealaunch/agent.sock
LoadCredential=sealaunch:/run/sealaunch/agent.sock
ExecStart=/opt/sealaunch/wrapper/bin/sealaunch run --bundle dns -- /bin/sleep 1000
`,
  );
});
afterAll(() => node[Symbol.asyncDispose]());

/** After it, the machine is a node of a new cluster in which something is changed. */
async function enterCluster(
  change: (cluster: TestCluster) => Promise<unknown>,
  configuration: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  cluster = await TestCluster.create();
  await change(cluster);
  const directory = await mkdtemp(join(tmpdir(), "sealaunch-archive-"));
  const archive = join(directory, "cluster.tar");
  await okOnHost("tar", ["-C", cluster.directory, "-cf", archive, "."]);
  await node.write("/run/cluster.tar", await readFile(archive));
  await rm(directory, { recursive: true });
  await node.sh(`
    rm -rf /srv/cluster /var/lib/sealaunch/marks; mkdir -p /srv/cluster
    tar -C /srv/cluster -xf /run/cluster.tar --no-same-owner
    chmod -R go+rX /srv/cluster; rm -f /etc/sealaunch/identity`);
  await node.write("/etc/sealaunch/identity", encodeIdentity(cluster.node), 0o400);
  const { cluster: id } = cluster.roster({});
  await node.write(
    "/etc/sealaunch/node.json",
    JSON.stringify({
      cluster: id,
      source: "dir:/srv/cluster",
      roots: [root.key],
      threshold: 1,
      node: "n1",
      ...configuration,
    }),
  );
  await cluster[Symbol.asyncDispose]();
}

/** What doctor prints, and how it ends. */
async function doctor(): Promise<{ text: string; exit: number | null }> {
  const { status, stdout } = await node.run("sealaunch", ["doctor", "dns"]);
  return { text: stdout.toString(), exit: status };
}

const clockLine = /^clock: \d{4}-.+Z, (?:not synchronised: .+|synchronised|nothing tells .+)$/mu;

/** What the journal has of that code, of the newest start of the unit. */
async function said(code: string): Promise<string[]> {
  const invocation = await node.ok("systemctl", ["show", "-P", "InvocationID", "dns.service"]);
  const matches = [`SEALAUNCH_CODE=${code}`, `SEALAUNCH_INVOCATION=${invocation.trim()}`];
  const text = await node.ok("journalctl", ["-o", "cat", "-q", ...matches]);
  return text.split("\n").filter(Boolean);
}

describe("doctor, of what only time decides,", () => {
  it("prints no clock where nothing depends on it", async () => {
    await enterCluster(() => Promise.resolve());
    const { text, exit } = await doctor();
    expect(text).toBe("dns.service: nothing of its own keeps it from starting\n");
    expect(exit).toBe(0);
  });

  it("warns of a stale roster, or refuses it, as the node does, and prints the clock", async () => {
    const staleRoster = (one: TestCluster): Promise<void> =>
      one.withRoster({ issued: longAgo, staleAfter: "2020-03-31T00:00:00Z" });
    await enterCluster(async (one) => {
      await staleRoster(one);
      await one.withPool({ issued: longAgo, staleAfter: "2020-03-31T00:00:00Z" });
    });
    const warned = await doctor();
    expect(warned.text).toMatch(
      /^warning: roster 1, issued 2020-01-01.+ is stale since 2020-03-31/mu,
    );
    expect(warned.text).toMatch(clockLine);
    expect(warned.exit).toBe(0);
    await node.ok("systemctl", ["restart", "dns.service"]);
    const status = await node.run("sealaunch", ["status"]);
    expect(status.stderr).toMatch(/^warning: roster 1, issued 2020-01-01.+now is 2/u);
    expect(status.stderr).toMatch(/^warning: pool file web 1, issued 2020-01-01.+now is 2/mu);
    expect(status.status).toBe(0);
    await expect.poll(() => said("roster/stale")).toHaveLength(2);
    const json = await node.ok("sealaunch", ["status", "--json"]);
    expect(JSON.parse(json)).toMatchObject({
      records: [
        { object: "roster 1", issued: longAgo, isStale: true },
        { object: "pool file web 1", isStale: true },
      ],
    });

    await enterCluster(staleRoster, { refuseStale: true });
    const refused = await doctor();
    expect(refused.text).toMatch(/^error: roster 1, issued 2020-01-01/mu);
    expect(refused.text).toMatch(clockLine);
    expect(refused.exit).toBe(77);
    expect((await node.run("systemctl", ["restart", "dns.service"])).status).not.toBe(0);
  });

  it("tells of a signer whose time is over", async () => {
    await enterCluster((one) =>
      one.withRoster({
        signers: [{ name: "ada", signer: signer.key, names: ["dns"], expires: longAgo }],
      }),
    );
    const { text, exit } = await doctor();
    expect(text).toMatch(/^error: .+ada .+, whose time ended 2020-01-01/mu);
    expect(text).toMatch(clockLine);
    expect(exit).toBe(77);
  });

  it("warns where the machine's clock is before what was signed", async () => {
    await enterCluster(async (one) => {
      await one.withRoster({ issued: future, staleAfter: "2099-03-01T00:00:00Z" });
      await one.withBundle({ created: future }, { CF_TOKEN: "canary" });
    });
    const { text, exit } = await doctor();
    expect(text).toMatch(/^warning: roster 1 was issued 2099-01-01T00:00:00Z, and here it is 2/mu);
    expect(text).toMatch(
      /^warning: bundle dns was signed 2099-01-01T00:00:00Z, and here it is 2/mu,
    );
    expect(text).toMatch(clockLine);
    expect(exit).toBe(0);
    const json = await node.run("sealaunch", ["doctor", "dns", "--json"]);
    expect(json.stdout.toString()).toContain('"code": "clock/behind"');
    await node.ok("systemctl", ["restart", "dns.service"]);
    await expect.poll(() => said("clock/behind")).toHaveLength(2);
  });
});
