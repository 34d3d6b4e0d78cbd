import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeReport } from "../../src/cluster/reports.ts";
import { hex } from "../../src/crypto/bytes.ts";
import { sha256 } from "../../src/crypto/digest.ts";
import { formatTime } from "../../src/formats/fields.ts";
import {
  encodeReport,
  type Report,
  type ReportedService,
} from "../../src/formats/records/report.ts";
import { encodeStatement, type Statement } from "../../src/formats/records/statement.ts";
import { root, stranger, TestCluster } from "../fixtures/cluster.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { sealaunch, type Ended } from "../fixtures/program.ts";
import { testSigner, type TestSigner } from "../fixtures/signer.ts";

const nodes = ["n1", "n2", "n3"] as const;
type Node = (typeof nodes)[number];
const hostKeys: Readonly<Record<Node, TestSigner>> = {
  n1: testSigner(11),
  n2: testSigner(12),
  n3: testSigner(13),
};

let cluster: TestCluster;
let first: Statement;
let second: Statement;
let seconds = 0;
beforeEach(async () => {
  cluster = await TestCluster.create();
  const members = nodes.map((node) => ({
    node,
    recipient: cluster.node.recipient,
    hostKey: hostKeys[node].key,
  }));
  await cluster.withPool({ generation: 2 }, undefined, members);
  first = await cluster.withBundle({}, { CF_TOKEN: "first", KEY: "key" });
  const previous = hex(sha256(encodeStatement(first)));
  second = await cluster.withBundle({ generation: 2, previous }, { CF_TOKEN: "second", KEY: "k" });
  const trust = { cluster: cluster.roster({}).cluster, source: "dir:.", roots: [root.key] };
  writeFileSync(join(cluster.directory, "sealaunch.json"), JSON.stringify(trust));
  seconds = 0;
});
afterEach(() => cluster[Symbol.asyncDispose]());

const running = (statement: Statement, change: Partial<ReportedService> = {}): ReportedService => ({
  unit: "dns.service",
  invocation: "0".repeat(32),
  activeState: "active",
  since: "2026-11-25T12:00:00Z",
  wants: ["dns"],
  bundles: [
    {
      name: "dns",
      series: 0,
      generation: statement.generation,
      statement: hex(sha256(encodeStatement(statement))),
      credentials: ["CF_TOKEN"],
    },
  ],
  refusal: null,
  ...change,
});

/** After it, the source has that report of a node, later than any before it. */
async function reported(
  node: Node,
  services: readonly ReportedService[],
  change: Partial<Report> = {},
  by: TestSigner = hostKeys[node],
): Promise<void> {
  const bytes = encodeReport({
    type: "report",
    version: 1,
    cluster: cluster.roster({}).cluster,
    node,
    issued: formatTime(new Date(Date.now() + 1000 * seconds++)),
    services: [...services],
    ...change,
  });
  await writeReport(cluster.source, node, bytes, by.sign("inventory", bytes));
}

const status = (...words: readonly string[]): Promise<Ended> =>
  sealaunch(["status", ...words], { cwd: cluster.directory });

/** The table, one line a row, its columns two blanks apart. */
const rowsOf = ({ stdout }: Ended): string[] =>
  stdout
    .toString()
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.replace(/ {2,}/gu, "  "));

describe("status of a pool's members", () => {
  it("ends with 0 where all run on the newest, and says so of each", async () => {
    for (const node of nodes) await reported(node, [running(second)]);
    const ended = await status("--bundle", "dns");
    expectDone(ended);
    expect(rowsOf(ended)).toEqual(nodes.map((node) => `${node}  dns.service  dns  2  2  current`));
    expectDone(await status("--pool", "web"));
    expectDone(await status("--bundle", "dns", "--pool", "web", "--wait"));
  });

  it("names who is behind, and why", async () => {
    await reported("n1", [running(first)]);
    const refusal = { code: "header/absent", message: "no header", at: "2026-11-25T12:00:00Z" };
    await reported("n2", [
      running(first, { refusal }),
      running(first, { unit: "failed.service", bundles: [], since: null, refusal }),
    ]);
    const ended = await status("--bundle", "dns");
    expect(rowsOf(ended)).toEqual([
      "n1  dns.service  dns  1  2  BEHIND: restart owed",
      "n2  dns.service  dns  1  2  BEHIND: refused: no header",
      "n2  failed.service  dns  -  2  BEHIND: refused: no header",
      "n3  -  dns  -  -  BEHIND: no report",
    ]);
    expectRefused(ended, "unit/behind");
    expect(ended.stderr).toContain("behind: n1, n2, n3; n1: restart owed");
  });

  it("says the same to programs, with the code of what was refused", async () => {
    await reported("n1", [running(second)]);
    await reported("n2", []);
    const { stdout, status: exit } = await status("--bundle", "dns", "--json");
    expect(exit).toBe(75);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      pools: ["web"],
      nodes: 3,
      behind: ["n3"],
      services: [
        { node: "n1", unit: "dns.service", has: "2", newest: "2", isBehind: false, code: null },
        { node: "n2", unit: null, isBehind: false, why: "runs nothing with it" },
        { node: "n3", isBehind: true, code: "inventory/absent" },
      ],
    });
  });

  it("names what mends the first that is behind", async () => {
    const refusal = { code: "header/absent", message: "no header", at: "2026-11-25T12:00:00Z" };
    for (const node of ["n2", "n3"] as const) await reported(node, [running(second)]);
    const hint = async (): Promise<string> =>
      expectRefused(await status("--bundle", "dns"), "unit/behind").stderr.split("\n")[1] ?? "";
    expect(await hint()).toContain("on n1, as root: systemctl status sealaunch-agent.socket");
    await reported("n1", [running(first)]);
    expect(await hint()).toBe("hint: on n1, as root: sealaunch status --restart-stale");
    await reported("n1", [running(first, { refusal })]);
    expect(await hint()).toBe("hint: on n1, as root: sealaunch doctor dns.service");
  });

  it("goes by the floor where one is given", async () => {
    for (const node of nodes) await reported(node, [running(first)]);
    expectDone(await status("--bundle", "dns@1+"));
    expectRefused(await status("--bundle", "dns@2+"), "unit/behind");
  });

  it("counts as current what has the values of the newest, such as before a new date", async () => {
    for (const node of nodes) await reported(node, [running(second)]);
    const previous = hex(sha256(encodeStatement(second)));
    await cluster.withStatement({
      ...second,
      generation: 3,
      previous,
      expires: "2027-01-01T00:00:00Z",
    });
    const ended = await status("--bundle", "dns");
    expectDone(ended);
    expect(rowsOf(ended)[0]).toBe("n1  dns.service  dns  2  3  current: the same values");
  });

  it("counts another bundle under the newest's number as behind", async () => {
    const other = { ...second, expires: "2027-01-01T00:00:00Z" };
    for (const node of nodes) await reported(node, [running(node === "n2" ? other : second)]);
    const ended = await status("--bundle", "dns");
    expectRefused(ended, "unit/behind");
    expect(ended.stderr).toContain("n2: has another bundle of that number");
  });

  it.each<[string, () => Promise<void>, string]>([
    ["forged", () => reported("n2", [running(second)], {}, stranger), "signed by"],
    [
      "another node's",
      () => reported("n2", [running(second)], { node: "n1" }),
      "says that it is of n1",
    ],
    [
      "signed by another node",
      () => reported("n2", [running(second)], {}, hostKeys.n1),
      "its host key is",
    ],
    [
      "another cluster's",
      () => reported("n2", [running(second)], { cluster: "f".repeat(32) }),
      "in cluster",
    ],
    [
      "hours old",
      () =>
        reported("n2", [running(second)], {
          issued: formatTime(new Date(Date.now() - 2 * 3_600_000 - 5_000)),
        }),
      "its last report is of",
    ],
  ])("takes no notice of a report that is %s", async (_, put, why) => {
    await reported("n1", [running(second)]);
    await put();
    await reported("n3", [running(second)]);
    const ended = await status("--bundle", "dns");
    expectRefused(ended, "unit/behind");
    expect(ended.stderr).toMatch(/^error: behind: n2; n2: /u);
    expect(rowsOf(ended)[1]).toContain(why);
  });

  it("takes no notice of a report that is replayed", async () => {
    const issued = formatTime(new Date(Date.now() - 60_000));
    for (const node of nodes) await reported(node, [running(second)]);
    expectDone(await status("--bundle", "dns"));
    await reported("n2", [running(second)], { issued });
    const ended = await status("--bundle", "dns");
    expectRefused(ended, "unit/behind");
    expect(ended.stderr).toContain("an older one than was seen here");
  });

  it("waits until the last has it", async () => {
    await reported("n1", [running(second)]);
    await reported("n2", [running(second)]);
    await reported("n3", [running(first)]);
    const waiting = status("--bundle", "dns", "--wait", "--timeout", "60");
    await pause(1_000);
    await reported("n3", [running(second)]);
    expectDone(await waiting);
  });

  it("waits no longer than it is told to", async () => {
    const ended = await status("--bundle", "dns", "--wait", "--timeout", "3");
    expectRefused(ended, "unit/behind");
    expect(ended.stderr).toContain("behind after 3 seconds: n1, n2, n3");
  });

  it("refuses what can't be asked", async () => {
    expectRefused(await status("--wait"), "usage/invalid");
    expectRefused(await status("dns", "--pool", "web"), "usage/invalid");
    expectRefused(await status("--pool", "web", "--wait", "--timeout", "0"), "usage/invalid");
    expectRefused(await status("--pool", "mail"), "pool/unknown");
    expectRefused(await status("--bundle", "web/nothing"), "bundle/absent");
    expectRefused(await status("--bundle", "../dns"), "usage/bad-name");
  });
});
