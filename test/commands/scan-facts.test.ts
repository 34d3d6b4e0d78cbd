import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { publisherRecordKey } from "../../src/formats/publisher-record.ts";
import { decodeScanReport } from "../../src/formats/scan-report.ts";
import type { Finding, ScanReport } from "../../src/scan/report/report.ts";
import { nvdFeed, nvdRecord, openssl } from "../fixtures/advisories.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { cleanEnvironment, sealaunch, sealaunchPath, type Ended } from "../fixtures/program.ts";
import { PutServer } from "../fixtures/put-server.ts";
import { createCacheKey, freePort, TestStore, type TestCacheKey } from "../fixtures/store.ts";
import { textOfFile } from "../source.ts";

const inStore = (digit: string, name: string): string => `/nix/store/${digit.repeat(32)}-${name}`;

const cve = "CVE-2023-0286";
const patched = inStore("1", "openssl-3.0.7");
const plain = inStore("2", "openssl-3.0.7");
/** Its own name is longer than its path tells. */
const tool = inStore("3", "tool-0x-1.0");

let store: TestStore;
let key: TestCacheKey;
let cache: string;
let published: string;

beforeAll(async () => {
  store = new TestStore();
  key = createCacheKey(store.root, "cache.example.org-1");
  const builds = [
    build(patched, { name: "openssl-3.0.7", patches: inStore("4", `${cve}.patch`) }),
    build(tool, { name: "tool-0x-1.0", version: "1.0" }),
    { name: "openssl-3.0.7", path: plain },
    { name: "dns-1.0", references: [patched, plain, tool] },
  ];
  const top = store.add(builds).get("dns-1.0") ?? "";
  writeFileSync(join(store.root, "n1.dump"), store.store(["--dump-db"]));
  const records = [openssl(cve), nvdRecord("CVE-2026-0007", "example:tool-0x", "2.0", 5)];
  const other = nvdRecord("CVE-2026-0008", "example:tool", "0.1", 5);
  writeFileSync(join(store.root, "feed.json"), nvdFeed([...records, other]));
  published = join(store.root, "published");
  const to = ["--store", store.root, "--to", `file://${published}`, "--cache-key", key.secret];
  expectDone(await sealaunch(["publish", top, ...to], { cwd: store.root }));
  forget();
});
afterAll(() => {
  store[Symbol.dispose]();
});
beforeEach(() => {
  cache = join(store.root, "cache");
  rmSync(cache, { recursive: true, force: true });
  cpSync(published, cache, { recursive: true });
  rmSync(kept(), { recursive: true, force: true });
});

/** Where records are that were fetched before. */
const kept = (): string => join(store.root, ".cache/sealaunch/records");

/** A path with the derivation that makes it, in the store. */
function build(
  path: string,
  attributes: Readonly<Record<string, string>>,
): { readonly name: string; readonly path: string; readonly deriver: string } {
  const name = attributes["name"] ?? "";
  const deriver = inStore(path.charAt("/nix/store/".length), `${name}.drv`);
  const pairs = Object.entries(attributes).map(([one, value]) => `("${one}","${value}")`);
  const outputs = `[("out","${path}","","")]`;
  derivations.set(
    deriver,
    `Derive(${outputs},[],[],"x86_64-linux","/bin/sh",[],[${pairs.join(",")}])`,
  );
  remember();
  return { name, path, deriver };
}

const derivations = new Map<string, string>();

function remember(): void {
  for (const [path, text] of derivations) writeFileSync(store.place(path), text);
}

/** As on a machine that has fetched all of it. */
function forget(): void {
  for (const path of derivations.keys()) rmSync(store.place(path));
}

const scan = (...more: readonly string[]): Promise<Ended> =>
  sealaunch(
    ["scan", "--dump", "n1.dump", "--advisories", "feed.json", "--store", store.root, ...more],
    { cwd: store.root },
  );
const asking = (): string[] => ["--cache", `file://${cache}`, "--cache-public-key", key.open];
const reportOf = ({ stdout }: Ended): ScanReport => decodeScanReport(stdout, "the report");
/** What people read of a scan that ends well. */
const shownBy = async (...more: readonly string[]): Promise<string> =>
  expectDone(await scan(...more)).toString();

function found({ findings }: ScanReport, path: string): Finding | undefined {
  return findings.find(({ paths }) => paths.includes(path));
}

const byName = { verdict: "vulnerable", from: "path", reason: "version < 3.0.8" };
const record = (path: string): string => join(cache, publisherRecordKey(path));

describe("what a publisher's record says of a path", () => {
  it("is believed: patched, by which patch; what has none is judged by its name", async () => {
    const ended = await scan(...asking(), "--json");
    expectDone(ended);
    const report = reportOf(ended);
    expect(found(report, patched)).toMatchObject({
      verdict: "patched",
      from: "publisher",
      reason: `patch ${cve}.patch`,
    });
    expect(found(report, plain)).toMatchObject(byName);
    expect(report.publishers).toEqual({
      caches: [{ name: `file://${cache}`, state: "known", reason: undefined }],
      asked: 3,
      recorded: 2,
      refused: [],
    });
    expect(await shownBy(...asking())).toContain("2 of 3 paths have a publisher's record");
  });

  it("isn't known without a cache, and both paths are vulnerable by their names", async () => {
    const report = reportOf(await scan("--json"));
    expect(found(report, patched)).toMatchObject(byName);
    expect(found(report, patched)?.paths).toEqual([patched, plain]);
    expect(report.publishers.caches).toEqual([]);
  });

  it("finds advisories for its name that the path's name doesn't tell", async () => {
    const about = (report: ScanReport): string[] =>
      report.findings.filter(({ name }) => name === "tool-0x").map(({ advisory }) => advisory);
    expect(about(reportOf(await scan("--json")))).toEqual([]);
    expect(about(reportOf(await scan(...asking(), "--json")))).toEqual(["CVE-2026-0007"]);
  });

  it.for<[string, (file: string) => void, string]>([
    [
      "is altered",
      (file) => {
        writeFileSync(file, readFileSync(file, "utf8").replace("0286", "0287"));
      },
      "(signature/invalid)",
    ],
    [
      "is another path's",
      (file) => {
        cpSync(record(tool), file);
      },
      "(cache/invalid)",
    ],
    [
      "is no record",
      (file) => {
        writeFileSync(file, "<!doctype html>");
      },
      "(cache/invalid)",
    ],
  ])("counts as none where it %s, which is told", async ([, change, code]) => {
    change(record(patched));
    const ended = await scan(...asking(), "--json");
    expectDone(ended);
    const report = reportOf(ended);
    expect(found(report, patched)).toMatchObject(byName);
    expect(report.publishers).toMatchObject({ asked: 3, recorded: 1 });
    expect(report.publishers.refused.map(({ path }) => path)).toEqual([patched]);
    expect(report.publishers.refused[0]?.reason).toContain(code);
    const shown = await shownBy(...asking());
    expect(shown).toContain("refused: 1 publisher's record, judged as if there were none");
    expect(shown).toContain("1 of 3 paths have a publisher's record; 1 didn't verify");
  });

  it("counts as none where a key has signed it that isn't trusted", async () => {
    const stranger = createCacheKey(store.root, "stranger-1");
    const other = ["--cache", `file://${cache}`, "--cache-public-key", stranger.open];
    const report = reportOf(await scan(...other, "--json"));
    expect(found(report, patched)).toMatchObject(byName);
    expect(report.publishers).toMatchObject({ asked: 3, recorded: 0 });
    expect(report.publishers.refused.map(({ reason }) => reason)).toEqual([
      expect.stringContaining("(signature/unknown-signer)"),
      expect.stringContaining("(signature/unknown-signer)"),
    ]);
  });

  it("is asked for only where something is asked about it by name", async () => {
    await using server = await PutServer.start();
    cpSync(published, join(server.directory), { recursive: true });
    const at = ["--cache", server.url, "--cache-public-key", key.open];
    const report = reportOf(await scan(...at, "--json"));
    expect(found(report, patched)?.verdict).toBe("patched");
    const keys = [patched, plain, tool].map((path) => `GET ${publisherRecordKey(path)}`);
    expect(server.asked.toSorted()).toEqual([...keys, "GET nix-cache-info"].sort());
  });

  it("is looked for in each cache until one has it", async () => {
    const second = ["--cache", `file://${published}`];
    rmSync(record(patched));
    const report = reportOf(await scan(...asking(), ...second, "--json"));
    expect(found(report, patched)?.verdict).toBe("patched");
    expect(report.publishers.caches.map(({ state }) => state)).toEqual(["known", "known"]);
  });
});

describe("a cache that doesn't answer", () => {
  it.for<[string, () => Promise<string>, string]>([
    [
      "at a port where nobody listens",
      async () => `http://127.0.0.1:${String(await freePort())}`,
      "cache/unreachable",
    ],
    [
      "since nothing is there",
      () => Promise.resolve(`file://${join(store.root, "nowhere")}`),
      "cache/invalid",
    ],
  ])("%s is warned of and told, and ends it as unknown", async ([, at, code]) => {
    const options = ["--cache", await at(), "--cache-public-key", key.open];
    const ended = await scan(...options);
    const [warning = "", ...rest] = ended.stderr.split("\n");
    expect(warning).toContain("warning: not all that publishers say in");
    expectRefused({ status: ended.status, stderr: rest.join("\n") }, "scan/unknown");
    expect(ended.stdout.toString()).toContain("unknown: what publishers say in");
    const report = reportOf(await scan(...options, "--json"));
    expect(report.publishers.caches[0]).toMatchObject({ state: "unknown" });
    expect(report.publishers.caches[0]?.reason).toContain(code);
    expect(found(report, patched)).toMatchObject(byName);
    expect(existsSync(join(store.root, "nowhere"))).toBe(false);
  });

  it("for one record after the first is unknown too, and what it said before counts", async () => {
    await using server = await PutServer.start();
    cpSync(published, server.directory, { recursive: true });
    server.fault = (_, asked) => (asked === publisherRecordKey(plain) ? 403 : undefined);
    const ended = await scan("--cache", server.url, "--cache-public-key", key.open);
    expect(ended.status).toBe(69);
    const shown = ended.stdout.toString();
    expect(shown).toMatch(/^unknown: what publishers say in .* answers GET with 403/mu);
    expect(shown).toContain(`patch ${cve}.patch`);
  });
});

describe("what was fetched before", () => {
  const week = 7 * 86_400;
  const age = (path: string, seconds: number): void => {
    const then = Date.now() / 1000 - seconds;
    utimesSync(join(kept(), publisherRecordKey(path)), then, then);
  };

  it("is taken as it is kept for a week, and asked for again after it", async () => {
    await using server = await PutServer.start();
    cpSync(published, server.directory, { recursive: true });
    const asked = async (): Promise<string[]> => {
      server.asked.length = 0;
      const at = ["--cache", server.url, "--cache-public-key", key.open];
      const report = reportOf(await scan(...at, "--json"));
      expect(found(report, patched)).toMatchObject({ verdict: "patched", from: "publisher" });
      expect(report.publishers).toMatchObject({ asked: 3, recorded: 2 });
      return server.asked.filter((one) => one !== "GET nix-cache-info").sort();
    };
    const got = (...paths: readonly string[]): string[] =>
      paths.map((path) => `GET ${publisherRecordKey(path)}`).sort();
    expect(await asked()).toEqual(got(patched, plain, tool));
    expect(await asked()).toEqual(got(plain));
    age(patched, week + 60);
    age(tool, week - 60);
    expect(await asked()).toEqual(got(patched, plain));
    writeFileSync(join(kept(), publisherRecordKey(tool)), "{}");
    expect(await asked()).toEqual(got(tool, plain));
  });

  it("counts only where one of the keys that are trusted now has signed it", async () => {
    await scan(...asking());
    const stranger = createCacheKey(store.root, "stranger-2");
    const other = ["--cache", `file://${cache}`, "--cache-public-key", stranger.open];
    const report = reportOf(await scan(...other, "--json"));
    expect(found(report, patched)).toMatchObject(byName);
  });

  it("counts however old it is where the cache is silent, which is told within 20 s", async () => {
    await using server = await PutServer.start();
    cpSync(published, server.directory, { recursive: true });
    const at = ["--cache", server.url, "--cache-public-key", key.open];
    await scan(...at);
    age(patched, week + 60);
    server.fault = () => "silent";
    const began = performance.now();
    const ended = await scan(...at, "--json");
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(ended.status).toBe(69);
    expect(ended.stderr).toContain("no answer within 15 s (cache/unreachable)");
    const report = reportOf(ended);
    expect(report.publishers.caches).toMatchObject([{ state: "unknown" }]);
    expect(found(report, patched)).toMatchObject({ verdict: "patched", from: "publisher" });
  });

  it("is nothing where nothing can be kept, and is asked for each time", async () => {
    writeFileSync(join(store.root, "a-file"), "");
    const options = ["scan", "--dump", "n1.dump", "--advisories", "feed.json", ...asking()];
    const environment = { XDG_CACHE_HOME: join(store.root, "a-file") };
    const ended = await sealaunch([...options, "--json"], { cwd: store.root, environment });
    expectDone(ended);
    expect(found(reportOf(ended), patched)?.verdict).toBe("patched");
  });
});

describe("the derivation of a path on this machine", () => {
  it("is believed, after a publisher's record", async () => {
    remember();
    try {
      const derived = reportOf(await scan("--json"));
      expect(found(derived, patched)).toMatchObject({
        verdict: "patched",
        from: "derivation",
        reason: `patch ${cve}.patch`,
      });
      expect(found(derived, plain)).toMatchObject(byName);
      const both = reportOf(await scan(...asking(), "--json"));
      expect(found(both, patched)?.from).toBe("publisher");
      rmSync(record(patched));
      rmSync(kept(), { recursive: true });
      expect(found(reportOf(await scan(...asking(), "--json")), patched)?.from).toBe("derivation");
    } finally {
      forget();
    }
  });

  it("says nothing of a path that it doesn't make", async () => {
    const deriver = inStore("1", "openssl-3.0.7.drv");
    const text = derivations.get(deriver) ?? "";
    writeFileSync(store.place(deriver), text.replace(patched, inStore("9", "openssl-3.0.7")));
    try {
      expect(found(reportOf(await scan("--json")), patched)).toMatchObject(byName);
    } finally {
      rmSync(store.place(deriver));
    }
  });
});

describe("the command of docs/scanning.md", () => {
  const [, block = ""] = /^## What is said of[^]*?^```sh\n(.*?)^```$/msu.exec(
    textOfFile("docs/scanning.md"),
  )!;

  it("on caches does what the page says", () => {
    writeFileSync(join(store.root, "cache.public"), `${key.open}\n`);
    expect(block).toContain("file:///srv/cache");
    const { status, stdout, stderr } = spawnSync(
      "sh",
      ["-ec", block.replace("/srv/cache", cache)],
      {
        cwd: store.root,
        encoding: "utf8",
        env: { ...cleanEnvironment, PATH: `${join(sealaunchPath, "..")}:${cleanEnvironment.PATH}` },
      },
    );
    expect(expectDone({ status, stdout, stderr })).toContain(
      "2 of 3 paths have a publisher's record",
    );
  });
});

describe("sealaunch.json", () => {
  const write = (publicKeys: readonly string[]): void => {
    const cluster = "0".repeat(32);
    const roots = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ];
    const said = { to: `file://${cache}`, ...(publicKeys.length === 0 ? {} : { publicKeys }) };
    const whole = { cluster, source: "dir:.", roots, cache: said };
    writeFileSync(join(store.root, "sealaunch.json"), JSON.stringify(whole));
  };

  it("names cache and keys where the command line doesn't, and without keys no cache", async () => {
    write([key.open]);
    try {
      expect(found(reportOf(await scan("--json")), patched)?.verdict).toBe("patched");
      write([]);
      expect(reportOf(await scan("--json")).publishers.caches).toEqual([]);
      write(["cache.example.org-1:short"]);
      expect(expectRefused(await scan(), "configuration/invalid").stderr).toContain(
        "cache.publicKeys[0]: is not NAME:BASE64",
      );
    } finally {
      rmSync(join(store.root, "sealaunch.json"));
    }
  });
});

describe("scan refuses", () => {
  it.for<[string, () => readonly string[]]>([
    ["a cache without a key", () => asking().slice(0, 2)],
    ["a key without a cache", () => asking().slice(2)],
    ["a key that is none", () => [...asking(), "--cache-public-key", "cache"]],
  ])("%s", async ([, options]) => {
    expectRefused(await scan(...options()), "usage/invalid");
  });

  it("a secret key where a public one is meant, and shows nothing of it", async () => {
    const secret = readFileSync(key.secret, "utf8").trim();
    const ended = await scan(...asking().slice(0, 2), "--cache-public-key", secret);
    const { stderr } = expectRefused(ended, "usage/invalid");
    expect(stderr).toContain('"cache.example.org-1" is no public key of a cache');
    expect(stderr).not.toContain(secret.slice("cache.example.org-1:".length, 40));
  });

  it("an address that no cache can have", async () => {
    const options = ["--cache", "ftp://cache", "--cache-public-key", key.open];
    expectRefused(await scan(...options), "cache/unknown");
  });
});
