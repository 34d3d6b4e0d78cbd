import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parsePublicCacheKey } from "../../src/formats/cache-key.ts";
import { publisherRecordKey, type PublisherRecord } from "../../src/formats/publisher-record.ts";
import { verifyPublisherRecord } from "../../src/formats/publisher-record-verifying.ts";
import { createCycloneDxCheck } from "../fixtures/cyclonedx-schema.ts";
import { expectDone } from "../fixtures/ended.ts";
import { sealaunch, type Ended } from "../fixtures/program.ts";
import { PutServer } from "../fixtures/put-server.ts";
import { createCacheKey, TestStore, type TestCacheKey } from "../fixtures/store.ts";

let store: TestStore;
let key: TestCacheKey;
beforeAll(() => {
  store = new TestStore();
  key = createCacheKey(store.root, "cache.example.org-1");
  addDns();
});
afterAll(() => {
  store[Symbol.dispose]();
});

const inStore = (digit: string, name: string): string => `/nix/store/${digit.repeat(32)}-${name}`;

async function publish(path: string, more: readonly string[] = []): Promise<string> {
  const cache = join(store.root, "cache");
  const options = ["--store", store.root, "--to", `file://${cache}`, "--cache-key", key.secret];
  expectDone(await sealaunch(["publish", path, ...options, ...more], { cwd: store.root }));
  return cache;
}

function recordIn(cache: string, path: string): PublisherRecord {
  const open = parsePublicCacheKey(key.open);
  const bytes = readFileSync(join(cache, publisherRecordKey(path)));
  return verifyPublisherRecord(bytes, path, open === undefined ? [] : [open], "it");
}

it("what a real derivation of nixpkgs says is recorded, signed", async (context) => {
  const data = process.env["SEALAUNCH_TEST_DATA"];
  if (data === undefined) {
    context.skip("SEALAUNCH_TEST_DATA doesn't name a folder of test vectors");
    return;
  }
  const path = "/nix/store/17rdhaypdan2f1gg4rcz50b0lpkr09wm-cpio-2.12";
  const deriver = inStore("0", "cpio-2.12.drv");
  copyFileSync(join(data, "advisories/nvd/drv/cpio-2.12.drv"), store.place(deriver));
  store.add([{ name: "cpio-2.12", path, deriver }]);
  expect(recordIn(await publish(path), path)).toEqual({
    path,
    name: "cpio",
    version: "2.12",
    patches: [
      { name: "CVE-2015-1197-cpio-2.12.patch", fixes: ["CVE-2015-1197"] },
      { name: "CVE-2016-2037-out-of-bounds-write.patch", fixes: ["CVE-2016-2037"] },
    ],
    fixes: ["CVE-2015-1197", "CVE-2016-2037"],
    sources: [],
  });
});

const source = inStore("2", "dns-1.0.tar.gz");
const fetcher = inStore("3", "dns-1.0.tar.gz.drv");
const dns = inStore("5", "dns-1.0");

function term(outputs: string, inputs: string, environment: Record<string, string>): string {
  const pairs = Object.entries(environment).map(([name, value]) => `("${name}","${value}")`);
  return `Derive([("out","${outputs}","","")],[${inputs}],[],"x86_64-linux","/bin/sh",[],[${pairs.join(",")}])`;
}

function addDns(): void {
  const deriver = inStore("4", "dns-1.0.drv");
  const url = "https://example.org/dns-1.0.tar.gz";
  writeFileSync(store.place(fetcher), term(source, "", { name: "dns-1.0.tar.gz", url }));
  writeFileSync(
    store.place(deriver),
    term(dns, `("${fetcher}",["out"])`, {
      name: "dns-1.0",
      src: source,
      license: "Apache-2.0",
      fixes: "CVE-2026-0001",
      patches: inStore("6", "cve-2026-0002.patch"),
    }),
  );
  store.add([
    { name: "libdns-0.9" },
    { name: "dns-1.0", path: dns, deriver, references: ["libdns-0.9"] },
  ]);
}

it("where the sources come from, licence, and what else is mended are recorded", async () => {
  const record = recordIn(await publish(dns), dns);
  expect(record.sources).toEqual(["https://example.org/dns-1.0.tar.gz"]);
  expect(record.licence).toBe("Apache-2.0");
  expect(record.fixes).toEqual(["CVE-2026-0002", "CVE-2026-0001"]);
});

it("a derivation that makes something else is believed in nothing", async () => {
  const deriver = inStore("7", "other-1.0.drv");
  writeFileSync(store.place(deriver), term(inStore("8", "other-1.0"), "", { name: "other-1.0" }));
  const [path = ""] = store.add([{ name: "mine-1.0", deriver }]).values();
  const cache = await publish(path);
  expect(() => recordIn(cache, path)).toThrow(/ENOENT/u);
});

it("what was published before without a record gets one, and nothing else is sent", async () => {
  await using server = await PutServer.start();
  const [one, other] = [inStore("9", "old-1.0"), inStore("a", "older-1.0")];
  const derivers = [inStore("b", "old-1.0.drv"), inStore("c", "older-1.0.drv")] as const;
  store.add([
    { name: "old-1.0", path: one, deriver: derivers[0] },
    { name: "older-1.0", path: other, deriver: derivers[1], references: [one] },
  ]);
  const publishThere = async (...more: readonly string[]): Promise<Ended> => {
    server.asked.length = 0;
    const options = ["--store", store.root, "--to", server.url, "--cache-key", key.secret];
    const ended = await sealaunch(["publish", other, ...options, ...more], { cwd: store.root });
    expectDone(ended);
    return ended;
  };
  // As from a machine that had fetched both, or before there were records.
  await publishThere();
  expect(readdirSync(server.directory).filter((name) => name.endsWith(".sealaunch"))).toEqual([]);
  for (const [path, deriver] of [
    [one, derivers[0]],
    [other, derivers[1]],
  ] as const)
    writeFileSync(store.place(deriver), term(path, "", { name: path.slice(44), version: "1.0" }));

  const planned = await publishThere("--dry-run");
  expect(planned.stdout.toString()).toBe("there without a record: 2 store paths\n");
  const made = await publishThere();
  expect(made.stdout.toString()).toBe(
    "recorded 2 store paths that the cache had without a record\n",
  );
  const puts = server.asked.filter((asked) => asked.startsWith("PUT"));
  expect(puts.sort()).toEqual([one, other].map((path) => `PUT ${publisherRecordKey(path)}`).sort());
  expect([one, other].map((path) => recordIn(server.directory, path).name)).toEqual([
    "old",
    "older",
  ]);
  expect((await publishThere()).stdout.toString()).toContain("nothing to do");
  expect(server.asked.filter((asked) => asked.startsWith("PUT"))).toEqual([]);
});

it("--sbom writes a CycloneDX 1.6 file that OWASP's schema accepts", async () => {
  await publish(dns, ["--sbom", "dns.cdx.json"]);
  const bom = JSON.parse(readFileSync(join(store.root, "dns.cdx.json"), "utf8")) as {
    readonly components: readonly { readonly name: string; readonly version?: string }[];
    readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: string[] }[];
  };
  expect(createCycloneDxCheck()(bom)).toEqual([]);
  expect(bom.components.map(({ name, version }) => `${name} ${version ?? "?"}`).sort()).toEqual([
    "dns 1.0",
    "libdns 0.9",
  ]);
  expect(bom.dependencies.find(({ ref }) => ref === dns)?.dependsOn).toHaveLength(1);
});
