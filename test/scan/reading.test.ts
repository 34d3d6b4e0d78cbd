import { gzipSync } from "node:zlib";
import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { Failure } from "../../src/failure.ts";
import { AdvisoryIndex } from "../../src/scan/advisories/advisory-index.ts";
import { readAdvisories } from "../../src/scan/advisories/reading.ts";
import { expectLinear } from "./growth.ts";
import { component, inPieces, now, nvd, osv, verdicts } from "./judging.ts";

const id = "CVE-2024-0001";
const record = nvd(id, [{ cpe: "a:openssl:openssl" }]);
const other = nvd("CVE-2024-0002", [{ cpe: "a:openssl:openssl" }]);
const text = JSON.stringify;

async function read(bytes: string | Uint8Array, size?: number): Promise<AdvisoryIndex> {
  const index = new AdvisoryIndex(now);
  await readAdvisories(index, "feed.json", inPieces(Buffer.from(bytes as string), size));
  return index;
}

/** The failure of reading it: one line with the file's name. */
async function refused(bytes: string | Uint8Array): Promise<string> {
  const failure: unknown = await read(bytes).catch((error: unknown) => error);
  if (!(failure instanceof Failure)) throw new Error("it was read", { cause: failure });
  expect(failure.code).toBe("advisories/invalid");
  return failure.message;
}

const both = [`${id}: vulnerable`, "CVE-2024-0002: vulnerable"];

describe("advisories", () => {
  it.for([
    [
      "a feed",
      text({
        format: "NVD_CVE",
        timestamp: "2026-10-01T00:00:00.000",
        vulnerabilities: [record, other],
      }),
    ],
    ["a mirror's feed", text({ feed_name: "CVE-2024", cve_items: [record, other] })],
    [
      "a feed with its date behind",
      text({ vulnerabilities: [record, other], timestamp: "x", more: { a: [1, { b: 2 }] } }),
    ],
    ["a list", text([record, other])],
    ["a record a line", `${text(record)}\n${text(other)}\n`],
    [
      "a feed with spaces",
      JSON.stringify(
        { a: { vulnerabilities: [] }, vulnerabilities: [record, other] },
        undefined,
        4,
      ),
    ],
  ])("are read from %s, in whichever pieces it comes", async ([, feed]) => {
    for (const size of [1, 7, 100, 65_536])
      expect(verdicts(await read(feed ?? "", size), "openssl-3.0.7")).toEqual(both);
  });

  it("are read from gzip, and from the JSON files of a zip archive", async () => {
    const feed = text({ vulnerabilities: [record, other] });
    expect(verdicts(await read(gzipSync(feed)), "openssl-3.0.7")).toEqual(both);
    for (const level of [0, 9] as const) {
      const files = {
        "a.json": strToU8(text(record)),
        "b/c.json": strToU8(text(other)),
        "README.md": strToU8("{"),
      };
      expect(verdicts(await read(zipSync(files, { level }), 50), "openssl-3.0.7")).toEqual(both);
    }
  });

  it("are kept only where they may be about what was asked for, and counted all the same", async () => {
    const index = new AdvisoryIndex(now, [component("curl-8.0.0")]);
    await readAdvisories(index, "feed.json", inPieces(Buffer.from(text([record, other]))));
    expect(index.count.advisories).toBe(2);
    expect(verdicts(index, "openssl-3.0.7")).toEqual([]);
  });

  it("are as new as their feed says, or the record changed last, but never newer than now", async () => {
    const feed = (timestamp: string, lastModified: string) =>
      text({ timestamp, vulnerabilities: [nvd(id, [], { lastModified })] });
    expect(
      (await read(feed("2026-10-02T00:00:00.000", "2026-09-01T00:00:00.000"))).count.newest,
    ).toBe("2026-10-02T00:00:00.000Z");
    expect((await read(feed("soon", "2026-09-01T00:00:00.000"))).count.newest).toBe(
      "2026-09-01T00:00:00.000Z",
    );
    expect(
      (await read(feed("9999-01-01T00:00:00.000", "2026-09-01T00:00:00.000"))).count.newest,
    ).toBe("2026-09-01T00:00:00.000Z");
    expect((await read(text(record))).count.newest).toBeUndefined();
  });

  it("of several databases are as old as the oldest of them", async () => {
    const index = await read(
      text([
        nvd(id, [], { lastModified: "2024-09-01T00:00:00.000" }),
        osv("GHSA-x", "PyPI", "django", [{ introduced: "0" }], {
          modified: "2026-09-01T00:00:00Z",
        }),
      ]),
    );
    expect(index.count.newest).toBe("2024-09-01T00:00:00.000Z");
  });

  it("are passed over one by one where they can't be read, and counted by why", async () => {
    const deep = `${"[".repeat(5_000)}${"]".repeat(5_000)}`;
    const bytes = Buffer.concat([
      Buffer.from(`{"vulnerabilities":[{"cve":{"id":"x"}},{"cve":${deep}},{"cve":{"id":"`),
      Buffer.from([0xff, 0xfe]),
      Buffer.from(`"}},{"cve":nonsense},${text(record)},`),
      Buffer.from(text(osv("GO-2024-1", "Debian:12", "openssl", [{ introduced: "0" }]))),
      Buffer.from(`,{"id":"PSF-1","affected":[{"ranges":[{"type":"GIT","events":[]}]}]},{}]}`),
    ]);
    const index = await read(bytes);
    expect(verdicts(index, "openssl-3.0.7")).toEqual([`${id}: vulnerable`]);
    expect(new Map(index.count.skipped)).toEqual(
      new Map([
        ["a record of NVD without a CVE's id", 1],
        ["a record that nests more than 64 levels", 1],
        ["a record that is no JSON in UTF-8", 2],
        ["a record of OSV in Debian's own versions", 1],
        ["a record of OSV that names no package, or no versions", 1],
        ["a record of OSV without an id", 1],
      ]),
    );
  });

  it.for([
    ["nothing", "", /^advisories "feed.json": it holds no records in JSON$/],
    ["text", "hello", /it is no JSON/],
    ["a web page", "<html>{}</html>", /it is no JSON/],
    ["another program's JSON", `{"name":"x"}`, /a record of OSV without an id/],
    ["an empty feed", `{"vulnerabilities":[]}`, /it holds no records/],
    [
      "a feed that ends within a record",
      `{"vulnerabilities":[{"cve":{"id":"CVE-2024-0001"}},{"cve`,
      /it ends within a record/,
    ],
    [
      "a feed that ends behind one",
      `{"vulnerabilities":[{"cve":{"id":"CVE-2024-0001"}}`,
      /it ends within a record/,
    ],
    ["broken gzip", gzipSync("{}").subarray(0, 15), /its gzip is broken/],
    ["gzip of nothing", Buffer.from([0x1f, 0x8b, 1, 2, 3]), /its gzip is broken/],
    ["a broken archive", zipSync({ "a.json": strToU8(text(record)) }).subarray(0, 60), /its zip/],
    ["an archive without JSON", zipSync({ "a.txt": strToU8("x") }), /it holds no records/],
  ] as const)("are refused whole if they are %s", async ([, bytes, message]) => {
    expect(await refused(bytes)).toMatch(message);
  });

  it("of prototype names reach nothing", async () => {
    const odd = ["__proto__", "constructor", "hasOwnProperty", "toString"];
    const index = await read(
      text(
        odd.map((name, at) =>
          osv(`CVE-2024-100${String(at)}`, "PyPI", name, [{ introduced: "0" }]),
        ),
      ),
    );
    for (const [at, name] of odd.entries())
      expect(verdicts(index, component(`python3.11-${name}-1.0`))).toEqual([
        `CVE-2024-100${String(at)}: vulnerable`,
      ]);
    expect(({} as Record<string, unknown>)["cve"]).toBeUndefined();
    const polluting = await read(
      `{"__proto__":{"cve":{"id":"x"}},"id":"CVE-2024-1","affected":[]}`,
    );
    expect(polluting.count.advisories).toBe(0);
  });
});

describe("advisories made to be costly", () => {
  it("are read in their size's time: a CPE of backslashes, a version of dots, texts of a megabyte", async () => {
    const hostile = (size: number): string =>
      text(
        nvd(
          id,
          [
            { cpe: `a:openssl:openssl:${"\\".repeat(size)}` },
            { cpe: "a:openssl:openssl", bounds: { versionEndExcluding: "1.".repeat(size) } },
          ],
          { descriptions: [{ lang: "en", value: `**${" ".repeat(size)}` }] },
        ),
      );
    await expectLinear(60_000, hostile, async (feed) =>
      verdicts(await read(feed), "openssl-3.0.7"),
    );
  });

  it("are read and judged in the time of what they list: ranges, records, aliases, databases' names", async () => {
    const each = (size: number) => Array.from({ length: size }, (_, at) => String(at + 10));
    const shapes: readonly ((size: number) => unknown)[] = [
      (size) =>
        nvd(
          id,
          each(size).map((at) => ({
            cpe: "a:openssl:openssl",
            bounds: { versionStartIncluding: `${at}.0`, versionEndExcluding: `${at}.1` },
          })),
        ),
      (size) => each(size).map((at) => nvd(`CVE-2024-1${at}`, [{ cpe: "a:openssl:openssl" }])),
      (size) =>
        osv(id, "PyPI", "openssl", [{ introduced: "0" }], {
          aliases: each(size).map((at) => `GHSA-${at}`),
        }),
      (size) =>
        osv(
          id,
          "PyPI",
          "openssl",
          each(size).flatMap((at) => [{ introduced: `${at}.0` }, { fixed: `${at}.1` }]),
        ),
    ];
    for (const shape of shapes)
      await expectLinear(
        2_000,
        (size) => text(shape(size)),
        async (feed) => {
          const index = await read(feed);
          return [verdicts(index, "openssl-3.0.7"), verdicts(index, "python3.11-openssl-3.0.7")];
        },
      );
  });

  it("that unpack to a thousand times their size take no more memory than a piece of it", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, "["), { level: 9 });
    const before = process.memoryUsage().rss;
    expect(await refused(bomb)).toMatch(/it ends within a record/);
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
  });
});
