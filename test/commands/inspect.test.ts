import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hex } from "../../src/crypto/bytes.ts";
import { sha256 } from "../../src/crypto/digest.ts";
import { createIdentity } from "../../src/crypto/identity.ts";
import { encodePool } from "../../src/formats/records/pool.ts";
import { encodeRoster } from "../../src/formats/records/roster.ts";
import { encodeStatement } from "../../src/formats/records/statement.ts";
import { hostKey, manager, root, signer, stranger, TestCluster } from "../fixtures/cluster.ts";
import { exitStatus, failures, type FailureCode } from "../../src/failure.ts";
import { refusalLines, sealaunch } from "../fixtures/program.ts";
import { Repository } from "../fixtures/repository.ts";

let test: TestCluster;
beforeEach(async () => {
  test = await TestCluster.create();
  const { cluster } = test.roster({});
  const configuration = { cluster, source: "dir:.", roots: [root.key], threshold: 1 };
  await writeFile(join(test.directory, "sealaunch.json"), JSON.stringify(configuration));
});
afterEach(() => test[Symbol.asyncDispose]());

interface Inspected {
  readonly status: number | null;
  readonly stderr: string;
  readonly stdout: string;
}

async function inspect(...args: string[]): Promise<Inspected> {
  const ended = await sealaunch(["inspect", "dns", ...args], { cwd: test.directory });
  return { ...ended, stdout: ended.stdout.toString() };
}

describe("inspect --between", () => {
  /** The story of a cluster: n1 goes and n2 comes, ada's successor seals anew. */
  beforeEach(async () => {
    const added = test.roster({
      generation: 2,
      previous: hex(sha256(encodeRoster(test.roster({})))),
      issued: "2026-11-10T00:00:00Z",
      signers: [{ name: "bob", signer: stranger.key, names: ["dns"], expires: null }],
    });
    await test.withRoster(added);
    const [before] = test.pool();
    const n2 = { node: "n2", recipient: createIdentity().recipient, hostKey: hostKey.key };
    await test.withPool(
      { generation: 2, previous: hex(sha256(encodePool(before))), issued: "2026-11-20T00:00:00Z" },
      [manager],
      [n2],
    );
    const first = await test.withBundle({ created: "2026-11-05T00:00:00Z" }, { CF_TOKEN: "x" });
    await test.withBundle(
      {
        generation: 2,
        created: "2026-11-15T00:00:00Z",
        previous: hex(sha256(encodeStatement(first))),
      },
      { CF_TOKEN: "y" },
      [stranger],
    );
  });

  it("tells who could read what and when, also of those who are gone", async () => {
    const { status, stdout, stderr } = await inspect("--between", "2026-11-01", "2026-11-30");
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^node n1 +web +2026-11-05T00:00:00Z +2026-11-20T00:00:00Z +1, 2$/mu);
    expect(stdout).toMatch(/^node n2 +web +2026-11-20T00:00:00Z +2026-11-30T00:00:00Z +2$/mu);
    expect(stdout).toMatch(
      /^operator offline +web +2026-11-05T00:00:00Z +2026-11-30T00:00:00Z +/mu,
    );
  });

  it("names signers as the rosters of their time did", async () => {
    const { stdout } = await inspect("--between", "2026-11-01", "2026-11-30");
    expect(stdout).toMatch(/^2 +2026-11-15T00:00:00Z +bob +web +dns\.service +CF_TOKEN$/mu);
    expect(stdout).toMatch(/^1 +2026-11-05T00:00:00Z +ada +/mu);
  });

  it("tells nothing of what was before and after", async () => {
    const { stdout } = await inspect("--between", "2026-11-06", "2026-11-12", "--json");
    const { readers, generations } = JSON.parse(stdout) as {
      readers: { who: string; from: string; until: string; generations: number[] }[];
      generations: { generation: string }[];
    };
    expect(readers.map(({ who }) => who)).toEqual(["node n1", "operator offline"]);
    expect(readers[0]).toMatchObject({
      from: "2026-11-06T00:00:00Z",
      until: "2026-11-12T00:00:00Z",
      generations: [1],
    });
    expect(generations.map(({ generation }) => generation)).toEqual(["1"]);
  });

  it("believes no earlier generation but the one that is named by its successor", async () => {
    await test.withBundle(
      { created: "2026-11-01T00:00:00Z", units: ["evil.service"] },
      { CF_TOKEN: "x" },
      [signer],
    );
    const { stdout, stderr } = await inspect("--between", "2026-11-01", "2026-11-30");
    expect(stderr).toMatch(/^warning: bundle dns: what came before generation 2 /u);
    expect(stdout).not.toContain("evil.service");
  });

  it("says of which member list nothing is known any more", async () => {
    await rm(test.path("pools/web/1/members.json"));
    const { stdout, stderr } = await inspect("--between", "2026-11-01", "2026-11-30");
    expect(stderr).toMatch(/^warning: pool web 1: its member list isn't there\n$/u);
    expect(stdout).not.toContain("node n1");
  });

  it.for([
    ["one time", ["2026-11-01"]],
    ["three times", ["2026-11-01", "2026-11-02", "now"]],
    ["the later first", ["now", "2026-11-01"]],
    ["what is no time", ["yesterday", "now"]],
  ] as const)("refuses %s", async ([, times]) => {
    const { status, stderr } = await inspect("--between", ...times);
    expect(stderr).toMatch(refusalLines);
    expect(status).toBe(64);
  });
});

describe("inspect --node", () => {
  it("says that a member with its entry would start it", async () => {
    const { status, stdout } = await inspect("--node", "n1");
    expect(stdout).toMatch(/^node n1 would give bundle dns 1 to dns\.service, /u);
    expect(status).toBe(0);
  });

  it.for<[FailureCode, () => Promise<unknown>]>([
    ["bundle/not-for-node", () => test.withPool({}, [manager], [])],
    ["entry/absent", () => rm(test.path("entries"), { recursive: true })],
    ["header/absent", () => rm(test.path("headers"), { recursive: true })],
    ["payload/absent", () => rm(test.path("bundles/dns/values"), { recursive: true })],
    ["bundle/expired", () => test.withBundle({ expires: "2026-11-26T00:00:00Z" }, { A: "x" })],
    ["bundle/not-in-place", () => test.withBundle({ units: [], inPlace: false }, { A: "x" })],
  ])("ends with what a start would be refused with: %s", async ([code, breakIt]) => {
    await breakIt();
    const { status, stderr, stdout } = await inspect("--node", "n1", "--json");
    expect(JSON.parse(stdout + stderr)).toMatchObject({ code });
    expect(status).toBe(exitStatus[failures[code][0]]);
  });

  it("doesn't go together with another question", async () => {
    const { status, stderr } = await inspect("--node", "n1", "--since", "HEAD");
    expect(stderr).toMatch(refusalLines);
    expect(status).toBe(64);
  });
});

describe("inspect --since", () => {
  it("says what changed, of the bundle and of who could open it, and nothing else", () => {
    using repository = new Repository();
    const here = repository.copy();
    const must = (command: string): string => repository.mustRun(command, here);
    expect(must("sealaunch inspect dns --since HEAD")).toMatch(/ 2 now\n {2}nothing changed\n$/u);
    must("sealaunch seal dns --remove SESSION_KEY --unit other.service --no-in-place");
    must("ssh-keygen -q -t ed25519 -N '' -f n3_host_key");
    must("sealaunch identity create --into n3 --node n3 --host-key n3_host_key --state n3/state");
    must('echo "n3 $(cut -d " " -f 1,2 n3_host_key.pub)" >> known_hosts');
    must("sealaunch roster add-node n3 --pool web --known-hosts known_hosts --yes");
    const [head, ...lines] = must("sealaunch inspect dns --since HEAD").trimEnd().split("\n");
    expect(head).toBe("bundle dns: 2 in HEAD, 3 now");
    expect(lines).toEqual([
      "  - may be opened in place",
      expect.stringMatching(/^ {2}- credential SESSION_KEY, sealed 20/u),
      "  + may ask other.service",
      "  + could open node n3 in pool web",
    ]);
  });
});
