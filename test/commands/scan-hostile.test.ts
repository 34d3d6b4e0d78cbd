import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exitStatus, type FailureCode, failures } from "../../src/failure.ts";
import { decodeScanReport } from "../../src/formats/scan-report.ts";
import type { ScanReport } from "../../src/scan/report/report.ts";
import { nvdFeed, openssl } from "../fixtures/advisories.ts";
import { watched, type Watched } from "../fixtures/watched.ts";
import { dumpOf, storePath } from "../scan/stores.ts";
import { count } from "../soak.ts";

let directory: string;
/** What a scan of little takes: the program itself. */
let little: Watched;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "sealaunch-hostile-"));
  write("n1.dump", dumpOf({ "dns-1.0": ["openssl-3.0.7"], "openssl-3.0.7": [] }));
  write("sound.json", nvdFeed([openssl("CVE-2023-0286")]));
  little = await scan("n1.dump", "sound.json");
  expect(little.status).toBe(0);
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const megabyte = 1024 * 1024;

function write(name: string, content: string | Uint8Array): void {
  writeFileSync(join(directory, name), content);
}

function scan(dump: string, advisories: string): Promise<Watched> {
  return watched(
    ["scan", "--dump", "n1.dump", dump, "--advisories", advisories, "--json"],
    directory,
  );
}

/** It took no more than the program itself, and some of each megabyte that it was given. */
function expectModest(taken: Watched, given: number): void {
  expect(taken.memory).toBeGreaterThan(20);
  expect(taken.memory - little.memory).toBeLessThan(150 + 8 * given);
  // A slow pattern or a square would take minutes of a processor for a megabyte.
  expect(taken.time - little.time).toBeLessThan(5 + given);
}

/** With --json a refusal is one line of it. */
function refusalOf(taken: Watched, code: FailureCode): string {
  expect(taken.status).toBe(exitStatus[failures[code][0]]);
  expect(taken.stderr).toMatch(/^\{.*\}\n$/u);
  const said = JSON.parse(taken.stderr) as { readonly code: string; readonly message: string };
  expect(said.code).toBe(code);
  return said.message;
}

const reportOf = ({ stdout }: Watched): ScanReport =>
  decodeScanReport(Buffer.from(stdout), "the report");

/** The one sound advisory is found all the same, beside the one that was skipped. */
function expectSound(taken: Watched): void {
  expect(taken.stderr).toBe("");
  const { advisories, findings } = reportOf(taken);
  expect([advisories.count, advisories.skipped]).toEqual([1, 1]);
  expect(findings.map(({ advisory, verdict, name }) => [advisory, verdict, name])).toEqual([
    ["CVE-2023-0286", "vulnerable", "openssl"],
  ]);
}

const sound = JSON.stringify(openssl("CVE-2023-0286"));
const feed = (...records: readonly (string | Uint8Array)[]): Uint8Array =>
  Buffer.concat([
    Buffer.from('{"vulnerabilities":['),
    ...records.flatMap((record) => [Buffer.from(record), Buffer.from(",")]),
    Buffer.from(`${sound}]}`),
  ]);
const deep = (levels: number): string => `${'{"a":['.repeat(levels)}${"]}".repeat(levels)}`;

describe("advisories made to do harm are passed over and counted, and what is sound beside them is judged:", () => {
  it.for([
    ["a million levels of nesting", 8, () => feed(`{"cve":${deep(1_000_000)}}`)],
    ["a record of forty megabytes", 40, () => feed(`{"cve":"${"a".repeat(40 * megabyte)}"}`)],
    [
      "bytes that are no UTF-8",
      1,
      () => feed(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])),
    ],
    ["a number of ten megabytes", 10, () => feed(`{"cve":{"id":${"9".repeat(10 * megabyte)}}}`)],
    [
      "names that mean something to JavaScript",
      1,
      () => feed('{"__proto__":{"cve":{"id":"CVE-2024-1"}},"constructor":{"prototype":{"x":1}}}'),
    ],
    [
      "names that lead back to themselves",
      1,
      () => feed('{"cve":{"id":"CVE-2024-1","configurations":{"nodes":[{"$ref":"#/cve"}]}}}'),
    ],
  ] as const)("%s", async ([, given, made]) => {
    write("hostile.json", made());
    const taken = await scan("n1.dump", "hostile.json");
    expectSound(taken);
    expectModest(taken, given);
  });

  it.for([
    ["texts", (long: string) => ({ descriptions: [{ lang: "en", value: `**${long}` }] })],
    [
      "ratings",
      (long: string) => ({
        metrics: {
          cvssMetricV31: [{ type: "Primary", cvssData: { vectorString: `CVSS:3.1/${long}` } }],
        },
      }),
    ],
    ["dates", (long: string) => ({ lastModified: long, published: long })],
  ] as const)("%s of megabytes, made for slow patterns", async ([, made]) => {
    const texts = [" ", "a ", "AV:N/", "2024-", "\\\\", "*_", "CVE-1", "\u202e"];
    const records = texts.map((text, at) => {
      const { cve } = openssl(`CVE-2024-100${String(at)}`) as { readonly cve: object };
      return JSON.stringify({ cve: { ...cve, ...made(text.repeat(megabyte / text.length)) } });
    });
    write("slow.json", feed(...records));
    const taken = await scan("n1.dump", "slow.json");
    expect(reportOf(taken).advisories.count).toBe(texts.length + 1);
    expect(reportOf(taken).findings).toHaveLength(texts.length + 1);
    expectModest(taken, 16);
  });

  it("an archive of files that unpack to a thousand times their size", async () => {
    const bomb = new Uint8Array(200 * megabyte).fill(0x5b);
    write("bomb.zip", zipSync({ "a.json": bomb, "b.json": Buffer.from(sound) }, { level: 9 }));
    const taken = await scan("n1.dump", "bomb.zip");
    expectSound(taken);
    // Some pieces of 64 MiB each, however many there are.
    expectModest(taken, 20);
  });

  it("a folder with links, other programs' files and OSS-Fuzz's YAML in it", async () => {
    mkdirSync(join(directory, "tree/zstd"), { recursive: true });
    symlinkSync("..", join(directory, "tree/loop"));
    symlinkSync("/dev/zero", join(directory, "tree/endless.json"));
    write("tree/zstd/OSV-2020-405.yaml", "id: OSV-2020-405\naffected: &a [*a]\n");
    write("tree/package.json", '{"name":"x"}');
    write("tree/sound.json", sound);
    const taken = await scan("n1.dump", "tree");
    expectSound(taken);
    expectModest(taken, 1);
  });
});

describe("advisories of which nothing can be read end the scan with one line:", () => {
  it.for([
    [
      "a hundred megabytes of brackets",
      "brackets.json",
      (): string => "[".repeat(100 * megabyte),
      "it ends within a record",
    ],
    ["YAML", "OSV-2020-405.yaml", (): string => "id: OSV-2020-405\n", "it is no JSON"],
  ] as const)("%s", async ([, name, made, why]) => {
    write(name, made());
    const taken = await scan("n1.dump", name);
    expect(refusalOf(taken, "advisories/invalid")).toBe(
      `advisories "${join(directory, name)}": ${why}`,
    );
    expectModest(taken, 1);
  });

  it("a folder of YAML alone, or of other programs' files", async () => {
    mkdirSync(join(directory, "yaml"));
    write("yaml/OSV-2020-405.yaml", "id: OSV-2020-405\n");
    const said = async (): Promise<string> =>
      refusalOf(await scan("n1.dump", "yaml"), "advisories/invalid");
    expect(await said()).toContain('advisories "yaml": no file of JSON is in it');
    write("yaml/package.json", '{"name":"x"}');
    expect(await said()).toContain('advisories "yaml": none of its 1 files holds any');
  });
});

const line = (count: number, ...references: readonly string[]): string =>
  [storePath("a-1"), "0".repeat(64), "1", "", String(count), ...references, ""].join("\n");

describe("a machine whose list of paths is made to do harm is unknown, with the reason, or known without that:", () => {
  it.for([
    ["more references than it has", line(199_999, storePath("b-1")), "line 7: it is cut short"],
    ["a billion references", line(1_000_000_000), "line 5: there is no number of references"],
    ["a number that is none", line(-1), "line 5: there is no number of references"],
    [
      "JSON of a million levels",
      `${deep(1_000_000)}\n`,
      "line 1: no store path begins an entry there",
    ],
    [
      "one line of a hundred megabytes",
      `/nix/store/${"a".repeat(100 * megabyte)}`,
      "line 1: it is cut short",
    ],
    ["bytes that are nothing", Buffer.from([0, 0xff, 0xfe, 0x0a]), "line 1"],
  ] as const)("%s", async ([, list, why]) => {
    write("n2.dump", list);
    const taken = await scan("n2.dump", "sound.json");
    expect(refusalOf(taken, "scan/unknown")).toContain("1 of 2 nodes unknown, such as n2");
    const { nodes, findings } = reportOf(taken);
    expect(nodes.map(({ name, state }) => [name, state])).toEqual([
      ["n1", "known"],
      ["n2", "unknown"],
    ]);
    expect(nodes[1]?.reason).toContain(why);
    expect(findings).toHaveLength(1);
    expectModest(taken, list.length / megabyte);
  });

  it("names that mean something to JavaScript or to a shell, circles, itself, and paths that are none", async () => {
    const odd = ["__proto__-1.0", "constructor-1.0", "toString-1"];
    const circles = Object.fromEntries(
      odd.map((name, at) => [name, [name, odd[(at + 1) % odd.length] ?? "", "openssl-3.0.7"]]),
    );
    const none = [
      "/nix/store/../../etc/passwd",
      "/nix/store/x",
      "/tmp/$(id)",
      `/${"\u0007".repeat(9)}`,
    ];
    const nothings = none.map((path) => [path, "0".repeat(64), "1", "", "1", path, ""].join("\n"));
    write("n2.dump", dumpOf({ ...circles, "openssl-3.0.7": [] }) + nothings.join(""));
    const taken = await scan("n2.dump", "sound.json");
    expect(taken.status).toBe(0);
    const { nodes, findings } = reportOf(taken);
    expect(nodes[1]).toMatchObject({ name: "n2", state: "known", paths: 4 });
    expect(findings[0]?.uses.map(({ node }) => node)).toEqual(["n1", "n2"]);
    expectModest(taken, 1);
  });

  it("thousands of paths, each of which needs the next and the first", async () => {
    const names = Array.from({ length: count(100_000) }, (_, at) => `p${String(at)}-1`);
    const chain = names.map((name, at): [string, string[]] => [
      name,
      [names[at + 1] ?? "openssl-3.0.7", names[0] ?? ""],
    ]);
    const list = dumpOf({ ...Object.fromEntries(chain), "openssl-3.0.7": [] });
    write("n2.dump", list);
    const taken = await scan("n2.dump", "sound.json");
    expect(taken.status).toBe(0);
    expect(reportOf(taken).nodes[1]?.paths).toBe(names.length + 1);
    expectModest(taken, list.length / megabyte);
  });
});
