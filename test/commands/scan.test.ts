import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Uses } from "../../src/formats/uses.ts";
import { decodeScanReport } from "../../src/formats/scan-report.ts";
import type { ScanReport } from "../../src/scan/report/report.ts";
import { nvdFeed, nvdRecord, openssl, type NvdRecord } from "../fixtures/advisories.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { putInventory } from "../fixtures/inventories.ts";
import { Workplace, type Outcome } from "../fixtures/worked-example.ts";
import { dumpOf, storePath, unit } from "../scan/stores.ts";

const store = {
  "dns-1.0": ["openssl-3.0.7"],
  "dns-1.1": ["openssl-3.0.8"],
  "web-7": ["curl-8.4.0"],
  "curl-8.4.0": ["openssl-3.0.7"],
  "openssl-3.0.7": ["glibc-2.38-27"],
  "openssl-3.0.8": ["glibc-2.38-27"],
  "glibc-2.38-27": [],
};
const uses: Partial<Uses> = {
  units: [
    unit("dns.service", {
      names: ["dns-1.1"],
      runs: ["dns-1.0", "openssl-3.0.7"],
      owner: "dns-team",
    }),
    unit("web.service", { names: ["web-7"], runs: ["web-7"], owner: "web" }),
  ],
};
const hour = 3_600_000;

let workplace: Workplace;
let directory: string;
beforeAll(() => {
  workplace = Workplace.followed();
});
afterAll(() => {
  workplace[Symbol.dispose]();
});
beforeEach(() => {
  directory = workplace.copy();
});

const keys = (path = ""): string => join(directory, "keys/nodes", path);

/** Puts what a node says of itself there; signed by its own host key unless another is given. */
async function say(
  node: string,
  change: { readonly as?: string; readonly by?: string; readonly taken?: Date } = {},
): Promise<void> {
  const { as = node, by = node, taken = new Date() } = change;
  const hostKey = join(directory, `${by}_host_key`);
  const scratch = join(directory, "scratch");
  await putInventory(directory, hostKey, { node: as, store, uses, taken }, scratch);
  const said = join(directory, "scratch/keys/nodes", as);
  for (const name of ["inventory.json", "collected"])
    cpSync(join(said, name), keys(`${node}/${name}`), { recursive: true });
  rmSync(join(directory, "scratch"), { recursive: true });
}

const scan = (args: string): Outcome => workplace.run(`sealaunch scan ${args}`, directory);

function reportOf(outcome: Outcome): ScanReport {
  return decodeScanReport(Buffer.from(outcome.stdout), "the report");
}

/** What is said of a node of which nothing is known. */
function reasonOf(outcome: Outcome, node: string): string {
  const found = reportOf(outcome).nodes.find(({ name }) => name === node);
  expect(found).toMatchObject({ state: "unknown", paths: 0 });
  return found?.reason ?? "";
}

const older = "--package 'openssl@<3.0.8'";

describe("scan --package", () => {
  it("names every service and owner that needs it, on each node, through what, and what runs", async () => {
    await say("n1");
    await say("n2");
    const { findings, nodes } = reportOf({ ...scan(`${older} --json`) });
    expect(nodes.map(({ name, state, paths }) => [name, state, paths])).toEqual([
      ["n1", "known", 7],
      ["n2", "known", 7],
    ]);
    expect(findings).toHaveLength(1);
    const [finding] = findings;
    expect(finding).toMatchObject({ name: "openssl", version: "3.0.7", verdict: "vulnerable" });
    expect(finding?.paths).toEqual([storePath("openssl-3.0.7")]);
    const told = finding?.uses.map(({ node, service, owner, running, through }) =>
      [node, service, owner, running, through.length].join(" "),
    );
    expect(told).toEqual(
      ["n1", "n2"].flatMap((node) => [
        `${node} dns dns-team restart owed 1`,
        `${node} web web yes 3`,
      ]),
    );
  });

  it("is a table for people, and ends well where all is known", async () => {
    await say("n1");
    await say("n2");
    const shown = expectDone(scan(older));
    expect(shown).toMatch(/openssl 3\.0\.7 +openssl@<3\.0\.8 +dns, web +2 /u);
    expect(shown).toContain("2 nodes of 2 known");
    expect(expectDone(scan("--package openssl@3.0.9"))).toContain("nothing found");
    expectRefused(scan(`${older} --fail-on critical`), "scan/vulnerable");
  });

  it.for([
    ["openssl", 2],
    ["openssl@3.0.8", 1],
    ["openssl@>3.0.7", 1],
    ["openssl@>=3.0.7,<=3.0.8", 2],
    ["openssl@<3.0.7", 0],
    ["OpenSSL@=3.0.8.0", 1],
    ["glibc@2.38", 1],
    ["open", 0],
  ] as const)("takes a range in versions' own order: %s", async ([wanted, count]) => {
    await say("n1");
    const { stdout } = scan(`--node n1 --package '${wanted}' --json`);
    expect(reportOf({ status: 0, stdout, stderr: "" }).findings).toHaveLength(count);
  });

  it.for(["openssl@", "openssl@<", "openssl@<<1", "@1", "open ssl", "openssl@<1,,<2"])(
    "refuses what is no package: %s",
    (wanted) => {
      expectRefused(scan(`--package '${wanted}'`), "usage/invalid");
    },
  );

  it("speaks of one service alone, where one is named", async () => {
    await say("n1");
    const { findings } = reportOf(scan(`--node n1 ${older} --service web --json`));
    expect(findings[0]?.uses.map(({ service }) => service)).toEqual(["web"]);
  });
});

describe("scan --service", () => {
  it("names all packages that it needs, of what runs and of what comes with a restart", async () => {
    await say("n1");
    await say("n2");
    const { packages } = JSON.parse(expectDone(scan("--service dns --json"))) as {
      packages: { name: string; version: string; nodes: string[] }[];
    };
    expect(
      packages.map(({ name, version, nodes }) => `${name} ${version} ${nodes.join()}`),
    ).toEqual([
      "dns 1.0 n1,n2",
      "dns 1.1 n1,n2",
      "glibc 2.38-27 n1,n2",
      "openssl 3.0.7 n1,n2",
      "openssl 3.0.8 n1,n2",
    ]);
    expect(expectDone(scan("--service web"))).toMatch(/^curl +8\.4\.0 +2 +n1, n2$/mu);
    expectRefused(scan("--service nobody"), "unit/absent");
  });
});

describe("a node that nothing is to be believed of is unknown, never clean:", () => {
  const json = `${older} --json`;

  it("one that has put no inventory there", async () => {
    await say("n1");
    const outcome = scan(json);
    expectRefused(scan(older), "scan/unknown");
    expect(reasonOf(outcome, "n2")).toContain("inventory/absent");
    expect(reportOf(outcome).findings[0]?.uses).toHaveLength(2);
  });

  it("one that shows another node's inventory, whoever signed it", async () => {
    await say("n1");
    await say("n2", { as: "n1", by: "n1" });
    expect(reasonOf(scan(json), "n2")).toContain("inventory/foreign");
    await say("n2", { by: "n1" });
    expect(reasonOf(scan(json), "n2")).toContain("inventory/foreign");
    await say("n2", { as: "n1" });
    expect(reasonOf(scan(json), "n2")).toContain("says that it is of n1");
  });

  it("one whose inventory is older than the one that was seen before", async () => {
    await say("n1");
    await say("n2", { taken: new Date(Date.now() - hour) });
    expectDone(scan(older));
    await say("n2", { taken: new Date(Date.now() - 2 * hour) });
    expect(reasonOf(scan(json), "n2")).toContain("mark/rolled-back");
  });

  it("one that hasn't been heard of for so long, or only in what is to come", async () => {
    await say("n1");
    await say("n2", { taken: new Date(Date.now() - 49 * hour) });
    expect(reasonOf(scan(json), "n2")).toContain("over 2 days ago");
    expectDone(scan(`${older} --max-age 3`));
    await say("n2", { taken: new Date(Date.now() + 49 * hour) });
    expect(reasonOf(scan(json), "n2")).toContain("is to come");
  });

  it("one whose inventory was altered, or has lost a part", async () => {
    await say("n1");
    await say("n2");
    const file = keys("n2/inventory.json");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace('"paths": 7', '"paths": 8'));
    expect(reasonOf(scan(json), "n2")).toContain("signature/invalid");
    writeFileSync(file, text);
    const parts = readdirSync(keys("n2/collected")).filter((name) => !name.endsWith(".sig"));
    expect(parts).toHaveLength(2);
    for (const part of parts) rmSync(keys(`n2/collected/${part}`));
    expect(reasonOf(scan(json), "n2")).toContain("inventory/malformed");
  });

  it("a file of a store with nothing in it, or of something else", () => {
    writeFileSync(join(directory, "empty.dump"), "");
    writeFileSync(join(directory, "other.dump"), '{"paths":{}}\n');
    const outcome = scan(`${json} --dump empty.dump other.dump`);
    expect(reasonOf(outcome, "empty")).toContain("its store is empty");
    expect(reasonOf(outcome, "other")).toContain("line 1");
    expectRefused(scan(`${older} --dump empty.dump`), "scan/unknown");
    expectRefused(scan(`${older} --dump none.dump`), "file/absent");
  });
});

describe("scan --advisories", () => {
  const write = (name: string, text: string): void => {
    writeFileSync(join(directory, name), text);
  };
  const curl = (modified?: Date): NvdRecord =>
    nvdRecord("CVE-2023-46218", "haxx:curl", "8.5.0", 6.5, modified);

  beforeEach(async () => {
    await say("n1");
    await say("n2");
  });

  it("judges all packages by feeds, folders of them, and rules, and names whom it concerns", () => {
    mkdirSync(join(directory, "feeds"));
    write("feeds/2023.json", nvdFeed([openssl("CVE-2023-0286"), curl()]));
    write("feeds/index.json", '{"not":"advisories"}');
    write("feeds/README.md", "not read");
    write("ignored.toml", '["curl-8.4.0"]\ncve = ["CVE-2023-46218"]\ncomment = "not reached"\n');
    const outcome = scan("--advisories feeds --rules ignored.toml --json");
    const { advisories, findings } = reportOf(outcome);
    expectDone(outcome);
    expect(advisories).toMatchObject({ files: ["feeds"], count: 2, stale: false, skipped: 1 });
    const told = findings.map(({ advisory, verdict, name, severity, fixedIn, uses: all }) =>
      [advisory, verdict, name, severity.rating, fixedIn, all.length].join(" "),
    );
    expect(told.sort()).toEqual([
      "CVE-2023-0286 vulnerable openssl high 3.0.8 4",
      "CVE-2023-46218 ignored curl medium 8.5.0 2",
    ]);
    const feeds = "--advisories feeds --rules ignored.toml";
    expectRefused(scan(`${feeds} --fail-on high`), "scan/vulnerable");
    expectDone(scan(`${feeds} --fail-on critical`));
  });

  it("takes a VEX document's word, by its author", () => {
    write("feed.json", nvdFeed([openssl("CVE-2023-0286"), curl()]));
    const statements = [
      {
        vulnerability: { name: "CVE-2023-46218" },
        products: [{ "@id": "pkg:generic/curl@8.4.0" }],
        status: "not_affected",
        justification: "vulnerable_code_not_present",
      },
    ];
    const vex = { "@context": "https://openvex.dev/ns/v0.2.0", author: "web", statements };
    write("vex.json", JSON.stringify(vex));
    const { findings } = reportOf(scan("--advisories feed.json --rules vex.json --json"));
    expect(findings.find(({ name }) => name === "curl")).toMatchObject({
      verdict: "ignored",
      reason: "by vex.json (web): vulnerable_code_not_present (else: version < 8.5.0)",
    });
    expect(findings.find(({ name }) => name === "openssl")?.verdict).toBe("vulnerable");
  });

  it("says that it is too old, which shows in how it ends", () => {
    const old = new Date(Date.now() - 8 * 24 * hour);
    write("old.json", nvdFeed([openssl("CVE-2023-0286", old)]));
    const ended = expectRefused(scan("--advisories old.json"), "scan/stale");
    expect(ended.stdout).toContain("stale: the newest advisory is 8 days old");
    expect(ended.stdout).toMatch(/^high 7\.4 +vulnerable +openssl 3\.0\.7 /mu);
    expectDone(scan("--advisories old.json --stale-after 30"));
  });

  it("tells only what changed since a report", async () => {
    write("one.json", nvdFeed([curl()]));
    write("two.json", nvdFeed([openssl("CVE-2023-0286"), curl()]));
    expectDone(
      workplace.run("sealaunch scan --advisories one.json --json >before.json", directory),
    );
    expect(expectDone(scan("--advisories one.json --since before.json"))).toContain(
      "nothing changed",
    );
    const shown = expectDone(scan("--advisories two.json --since before.json"));
    expect(shown).toContain("new: CVE-2023-0286 in openssl 3.0.7 (vulnerable, high)");
    expect(shown).not.toContain("curl");
    await say("n2", { by: "n1" });
    const { stdout } = scan("--advisories one.json --since before.json");
    expect(stdout).toContain("unknown now: n2");
    write("other.json", "{}");
    expectRefused(scan("--advisories one.json --since other.json"), "scan/report-malformed");
  });

  it("ends by all that it knows, though it tells only what changed: the first of its statuses counts", async () => {
    const old = new Date(Date.now() - 8 * 24 * hour);
    write("old.json", nvdFeed([openssl("CVE-2023-0286", old)]));
    const known = "--advisories old.json --stale-after 30";
    expectDone(workplace.run(`sealaunch scan ${known} --json >before.json`, directory));
    const changed = (args: string): Outcome => scan(`${args} --since before.json`);
    expect(expectDone(changed(known))).toContain("nothing changed");
    // Found before, too: it is as bad as it was.
    const found = expectRefused(changed(`${known} --fail-on high`), "scan/vulnerable");
    expect(found.stdout).toContain("nothing changed");
    expectDone(changed(`${known} --fail-on critical`));
    expectRefused(changed("--advisories old.json --fail-on critical"), "scan/stale");
    await say("n2", { taken: new Date(Date.now() + 49 * hour) });
    expectRefused(changed("--advisories old.json --fail-on critical"), "scan/unknown");
    expectRefused(changed("--advisories old.json --fail-on high"), "scan/vulnerable");
  });

  it("takes an inventory of the age that is allowed, and then what is found in it counts", async () => {
    write("feed.json", nvdFeed([openssl("CVE-2023-0286")]));
    for (const node of ["n1", "n2"]) rmSync(keys(`${node}/inventory.json`));
    await say("n1", { taken: new Date(Date.now() - 73 * hour) });
    await say("n2", { taken: new Date(Date.now() - 71 * hour) });
    const both = "--advisories feed.json --fail-on high";
    expectRefused(scan(both), "scan/unknown");
    const some = expectRefused(scan(`${both} --max-age 3`), "scan/vulnerable");
    expect(some.stdout).toContain("n1");
    expect(reportOf(scan(`${both} --max-age 3 --json`)).nodes.map(({ state }) => state)).toEqual([
      "unknown",
      "known",
    ]);
    expectRefused(scan(`${both} --max-age 4`), "scan/vulnerable");
    expectDone(scan("--advisories feed.json --max-age 4"));
    expectRefused(scan("--advisories feed.json --max-age 3"), "scan/unknown");
  });

  it("is told apart from an earlier report also where nobody has rated anything", () => {
    const { cve } = openssl("CVE-2023-0286") as { readonly cve: object };
    write("unrated.json", nvdFeed([{ cve: { ...cve, metrics: {} } }]));
    const unrated = "sealaunch scan --advisories unrated.json";
    const { stdout } = workplace.run(`${unrated} --json | tee before.json`, directory);
    expect(reportOf({ status: 0, stdout, stderr: "" }).findings).toMatchObject([
      { severity: { score: undefined, rating: "unknown" } },
    ]);
    expect(expectDone(workplace.run(`${unrated} --since before.json`, directory))).toContain(
      "nothing changed",
    );
    expectRefused(workplace.run(`${unrated} --fail-on critical`, directory), "scan/vulnerable");
  });

  it.for([
    ["a file that isn't there", "--advisories none.json", "file/absent"],
    ["a file of something else", "--advisories sealaunch.json", "advisories/invalid"],
    ["rules that are none", "--advisories sealaunch.json --rules sealaunch.json", "rules/invalid"],
    ["rules that aren't there", "--advisories one.json --rules none.toml", "file/absent"],
    ["nothing to look for", "--pool web", "advisories/absent"],
    ["a node that is none", "--node n7 --package a", "node/unknown"],
    ["a pool that is none", "--pool app --package a", "pool/unknown"],
    ["a severity that is none", "--fail-on awful --package a", "usage/invalid"],
  ] as const)("refuses %s", ([, args, code]) => {
    expectRefused(scan(args), code);
  });
});

describe("scan --dump", () => {
  it("reads what nix-store --dump-db has written, of which nobody knows who uses it", () => {
    writeFileSync(join(directory, "n9.dump"), dumpOf(store));
    const { findings } = reportOf(scan(`${older} --json --dump n9.dump`));
    expect(findings[0]?.uses).toEqual([
      expect.objectContaining({
        node: "n9",
        root: "nothing that could be seen",
        running: "unknown",
      }),
    ]);
  });
});
