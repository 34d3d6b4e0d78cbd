import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FailureCode } from "../../src/failure.ts";
import { decodeScanReport } from "../../src/formats/scan-report.ts";
import { nvdRecord, openssl } from "../fixtures/advisories.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { FeedServer, feedOf, osvOf, type FeedFault } from "../fixtures/feed-server.ts";
import { cleanEnvironment, sealaunch, sealaunchPath, type Ended } from "../fixtures/program.ts";
import { dumpOf } from "../scan/stores.ts";

let directory: string;
let server: FeedServer;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "sealaunch-scan-update-"));
  writeFileSync(join(directory, "n1.dump"), dumpOf({ "openssl-3.0.7": [] }));
  server = await FeedServer.start();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

const modified = "/nvd/nvdcve-2.0-modified.json.gz";
const pypi = "/osv/PyPI/all.zip";
const folder = (): string => join(directory, ".cache/sealaunch/advisories");
const fileOf = (path: string): string =>
  join(folder(), path === pypi ? "osv-PyPI.zip" : "nvdcve-2.0-modified.json.gz");
const update = (...more: readonly string[]): Promise<Ended> =>
  sealaunch(["scan", "--update", ...server.places, ...more], { cwd: directory });
const scan = (...more: readonly string[]): Promise<Ended> =>
  sealaunch(["scan", "--dump", "n1.dump", ...more], { cwd: directory });

/** Every file that lies there, but what was remembered of them. */
function files(): Map<string, string> {
  const names = readdirSync(folder()).filter((name) => name !== "fetched.state");
  return new Map(names.sort().map((name) => [name, readFileSync(join(folder(), name), "base64")]));
}

describe("scan --update", () => {
  it("fetches every feed as it is, and scan uses them, with their age", async () => {
    server.files.set(modified, feedOf([openssl("CVE-2023-0286")]));
    const count = server.files.size;
    expect(count).toBeGreaterThan(35);
    expect(expectDone(await update()).toString()).toBe(
      `${String(count)} files of advisories fetched, 0 unchanged: ${folder()}\n`,
    );
    const here = files();
    expect([...here.values()].sort()).toEqual(
      [...server.files.values()].map((bytes) => Buffer.from(bytes).toString("base64")).sort(),
    );
    const shown = expectDone(await scan()).toString();
    expect(shown).toContain("CVE-2023-0286");
    expect(shown).toContain(
      `${String(count)} advisories, the newest of ${new Date().toISOString().slice(0, 10)}`,
    );
    const ended = await scan("--json");
    const report = decodeScanReport(ended.stdout, "the report");
    expect(report.advisories).toMatchObject({ count, stale: false, skipped: 0 });
    expect(report.advisories.files.toSorted()).toEqual(
      [...here.keys()].map((name) => join(folder(), name)),
    );
    // As on a machine without a network.
    const environment = { XDG_CACHE_HOME: "" };
    const words = ["scan", "--dump", "n1.dump", "--advisories", folder(), "--json"];
    const elsewhere = await sealaunch(words, { cwd: directory, environment });
    expect(decodeScanReport(elsewhere.stdout, "it").advisories).toMatchObject({
      count,
      skipped: 0,
    });
  });

  it("fetches nothing again that hasn't changed, and what has alone", async () => {
    expectDone(await update());
    server.answered.length = 0;
    expectDone(await update());
    expect(new Set(server.answered.map((line) => line.slice(0, 3)))).toEqual(new Set(["304"]));
    expect(server.answered).toHaveLength(server.files.size);
    server.files.set(pypi, osvOf("GHSA-other"));
    server.answered.length = 0;
    const ended = await update("--json");
    expectDone(ended);
    const result = JSON.parse(ended.stdout.toString()) as {
      readonly folder: string;
      readonly files: readonly { readonly name: string; readonly state: string }[];
    };
    expect(result.folder).toBe(folder());
    expect(result.files).toHaveLength(server.files.size);
    const fetched = result.files.filter(({ state }) => state === "fetched");
    expect(fetched.map(({ name }) => name)).toEqual(["osv-PyPI.zip"]);
    expect(server.answered.filter((line) => line.startsWith("200"))).toEqual([`200 ${pypi}`]);
  });

  it("fetches again what isn't there any more, or of another size, or from another address", async () => {
    expectDone(await update());
    rmSync(fileOf(modified));
    writeFileSync(fileOf(pypi), "half");
    server.answered.length = 0;
    expectDone(await update());
    expect(server.answered.filter((line) => line.startsWith("200")).sort()).toEqual(
      [`200 ${modified}`, `200 ${pypi}`].sort(),
    );
    await using other = await FeedServer.start();
    expectDone(await sealaunch(["scan", ...other.places], { cwd: directory }));
    expect(other.answered.every((line) => line.startsWith("200"))).toBe(true);
  });

  it("goes on where a transfer broke off, and asks again after a server's error", async () => {
    const large = feedOf([
      nvdRecord("CVE-2020-0001", "a:b", randomBytes(500_000).toString("hex"), 5),
    ]);
    server.files.set(modified, large);
    server.fault = (path, nth) => {
      if (path === modified) return "breaks off";
      return path === pypi && nth < 3 ? 503 : undefined;
    };
    expectDone(await update());
    expect(readFileSync(fileOf(modified))).toEqual(Buffer.from(large));
    expect(server.answered).toContain(`206 ${modified}`);
    expect(server.answered.filter((line) => line.endsWith(pypi))).toEqual([
      `503 ${pypi}`,
      `503 ${pypi}`,
      `200 ${pypi}`,
    ]);
  });

  it("goes through the proxy that the environment names", async () => {
    const there = ["--nvd", "http://feeds.invalid/nvd", "--osv", "http://feeds.invalid/osv"];
    const environment = { http_proxy: server.url };
    expectDone(await sealaunch(["scan", "--update", ...there], { cwd: directory, environment }));
    expect([...server.proxied]).toEqual(["feeds.invalid"]);
    expect(files().size).toBe(server.files.size);
  });

  it("fetches no feed of a year that its database hasn't begun", async () => {
    const year = `nvdcve-2.0-${String(new Date().getUTCFullYear())}.json.gz`;
    server.files.delete(`/nvd/${year}`);
    expectDone(await update());
    expect(files().has(year)).toBe(false);
    expectDone(await scan());
  });
});

describe("scan --update where a server errs", () => {
  const whole = feedOf([openssl("CVE-2023-0286")]);
  const archive = osvOf("GHSA-cut");
  const newer = feedOf([openssl("CVE-2026-1111")]);
  it.for<[string, string, FeedFault, FailureCode, string]>([
    ["answers with 500", modified, 500, "advisories/unreachable", "it answers with 500"],
    ["answers with 403", modified, 403, "advisories/unreachable", "it answers with 403"],
    ["has nothing there", modified, 404, "advisories/unreachable", "it answers with 404"],
    ["sends on in a circle", modified, "circle", "advisories/unreachable", "in a circle"],
    ["is silent", modified, "silent", "advisories/unreachable", "it is silent"],
    ["falls silent", modified, "stalls", "advisories/unreachable", "it is silent"],
    ["sends byte by byte", modified, "drips", "advisories/unreachable", "a kilobyte a second"],
    [
      "breaks off each time",
      modified,
      "breaks off for good",
      "advisories/unreachable",
      "broke off",
    ],
    [
      "sends half of a gzip",
      modified,
      newer.subarray(0, 90),
      "advisories/invalid",
      "gzip is broken",
    ],
    ["sends half of a zip", pypi, archive.subarray(0, 90), "advisories/invalid", "zip"],
    ["sends a page", modified, Buffer.from("<!doctype html>"), "advisories/invalid", "no JSON"],
    ["sends an empty feed", modified, feedOf([]), "advisories/invalid", "no records"],
    ["sends nothing", modified, new Uint8Array(), "advisories/invalid", "no records"],
  ])(
    "%s: what was there stays whole, and the others are fetched",
    async ([, at, fault, code, says]) => {
      server.files.set(modified, whole);
      expectDone(await update());
      const before = files();
      const changed = at === modified ? pypi : modified;
      server.files.set(changed, changed === pypi ? osvOf("GHSA-newer") : newer);
      // What is asked for again has changed, so that its bytes are sent.
      server.files.set(at, at === pypi ? osvOf("GHSA-new") : feedOf([openssl("CVE-2026-2222")]));
      server.fault = (path) => (path === at ? fault : undefined);
      const { stderr } = expectRefused(await update("--timeout", "1"), code);
      expect(stderr).toContain(`error: 1 of ${String(server.files.size)} files of advisories`);
      expect(stderr).toContain(says);
      expect(stderr).toContain(at);
      const after = files();
      expect([...after.keys()]).toEqual([...before.keys()]);
      const differing = [...after].filter(([name, bytes]) => before.get(name) !== bytes);
      expect(differing.map(([name]) => join(folder(), name))).toEqual([fileOf(changed)]);
      // The next time all is well.
      server.fault = () => undefined;
      expectDone(await update());
      expectDone(await scan());
    },
  );

  it("the first time: scan says what never came instead of passing over it", async () => {
    server.fault = (path) => (path.startsWith("/osv/P") ? 403 : undefined);
    const { stderr, status } = await update();
    expect(status).toBe(69);
    expect(stderr.match(/^warning: .*it answers with 403$/gmu)).toHaveLength(2);
    expect(stderr).toMatch(/^error: 3 of [0-9]+ files of advisories aren't new: /mu);
    const refused = expectRefused(await scan(), "advisories/absent");
    expect(refused.stderr).toContain("3 never came: osv-PyPI.zip, osv-Packagist.zip, osv-Pub.zip");
  });

  it("on a disk that is full, what was there stays whole and nothing lies beside it", async () => {
    const disk = join(directory, "disk");
    mkdirSync(disk);
    const large = feedOf([
      nvdRecord("CVE-2020-0001", "a:b", randomBytes(2_000_000).toString("hex"), 5),
    ]);
    server.files.set(modified, whole);
    server.fault = (path, nth) => (path === modified && nth > 1 ? large : undefined);
    const script = `mount -t tmpfs -o size=1m tmpfs ${disk}; "$0" "$@"; "$0" "$@"; status=$?
      cd ${disk}/sealaunch/advisories; ls -A; echo; base64 -w 0 nvdcve-2.0-modified.json.gz; exit $status`;
    const user = process.getuid?.() === 0 ? [] : ["--map-root-user"];
    const words = [...user, "--mount", "sh", "-c", script, sealaunchPath, "scan", ...server.places];
    const child = spawn("unshare", words, {
      env: { ...cleanEnvironment, XDG_CACHE_HOME: disk },
      cwd: directory,
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (piece) => (stdout += String(piece)));
    child.stderr.on("data", (piece) => (stderr += String(piece)));
    const [status] = (await once(child, "close")) as [number];
    expectRefused({ status, stderr }, "write/refused");
    expect(stderr).toContain("ENOSPC");
    expect(stdout).not.toMatch(/^\./mu);
    expect(stdout.endsWith(Buffer.from(whole).toString("base64"))).toBe(true);
  });
});

describe("scan without --advisories", () => {
  it("says where nothing was fetched what to do", async () => {
    const { stderr } = expectRefused(await scan(), "advisories/absent");
    expect(stderr).toContain("hint: sealaunch scan --update");
  });

  it("ends with 75 where what was fetched is over a week old", async () => {
    const then = new Date(Date.now() - 8 * 86_400_000);
    for (const path of server.files.keys())
      server.files.set(
        path,
        path.startsWith("/nvd/")
          ? feedOf([openssl("CVE-2023-0286", then)])
          : osvOf("GHSA-old", then),
      );
    expectDone(await update());
    const ended = await scan();
    expectRefused(ended, "scan/stale");
    expect(ended.stdout.toString()).toContain(`the newest of ${then.toISOString().slice(0, 10)}`);
  });

  it("fetches anew where what was remembered can't be read", async () => {
    expectDone(await update());
    writeFileSync(join(folder(), "fetched.state"), "{");
    expectRefused(await scan(), "advisories/absent");
    expectDone(await update());
    expectDone(await scan());
  });
});

describe("scan --update refuses", () => {
  it.for<[string, readonly string[], FailureCode]>([
    ["another kind of address", ["--nvd", "ftp://example.org"], "usage/invalid"],
    ["what is no address", ["--osv", "osv"], "usage/invalid"],
    ["a password", ["--osv", "https://ada:canary@example.org/"], "usage/value-in-argument"],
    ["to scan as well", ["--here"], "usage/invalid"],
    [
      "to scan as well, where only a copy's address is given",
      ["--package", "curl"],
      "usage/invalid",
    ],
  ])("%s", async ([, more, code]) => {
    const { stderr } = expectRefused(await update(...more), code);
    expect(stderr).not.toContain("canary");
    expect(server.answered).toEqual([]);
  });

  it("an environment that names no place", async () => {
    const environment = { XDG_CACHE_HOME: "", HOME: "" };
    const options = ["scan", "--update", ...server.places];
    expectRefused(
      await sealaunch(options, { cwd: directory, environment }),
      "configuration/missing",
    );
  });
});
