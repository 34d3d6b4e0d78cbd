import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  advisoryData,
  component,
  indexed,
  indexedFiles,
  judged,
  nvd,
  osv,
  verdicts,
  withoutData,
} from "./judging.ts";

const id = "CVE-2024-0001";

describe("events of OSV", () => {
  it.for([
    [
      [{ introduced: "0" }, { fixed: "3.0.8" }],
      ["0.1", "3.0.7", "3.0.8-rc1"],
      ["3.0.8", "3.1"],
    ],
    [
      [{ introduced: "3.0.0" }, { fixed: "3.0.8" }],
      ["3.0.0", "3.0.7"],
      ["1.1.1", "3.0.0-beta1", "3.0.8"],
    ],
    [[{ introduced: "3.0.0" }, { last_affected: "3.0.8" }], ["3.0.8"], ["3.0.9"]],
    [[{ introduced: "3.0.0" }], ["3.0.0", "99"], ["1.1.1"]],
    [
      [{ fixed: "3.2" }, { introduced: "3.1" }, { fixed: "3.0.5" }, { introduced: "0" }],
      ["3.0.4", "3.1.9"],
      ["3.0.5", "3.2"],
    ],
    [[{ introduced: "0" }, { limit: "3.0" }], ["2.9"], ["3.0", "3.1"]],
    [[{ introduced: "0" }, { introduced: "2.0" }, { fixed: "3.0" }], ["1.0", "2.5"], ["3.0"]],
    [[{ introduced: "2.0" }, { last_affected: "2.0" }], ["2.0"], ["1.9", "2.0.5"]],
    [[{ introduced: "9.0.0" }, { fixed: "10.0.0-0" }], ["9.9"], ["10.0.0", "10.0.0-rc1"]],
    [[{ fixed: "3.0" }], [], ["1.0", "3.0"]],
  ] as const)("%j hold %j and not %j", async ([events, inside, outside]) => {
    const index = await indexed(osv(id, "Bitnami", "openssl", events));
    const affected = (version: string) =>
      verdicts(index, component(`openssl-${version}`, { version })).length > 0;
    expect([...inside, ...outside].filter(affected)).toEqual([...inside]);
  });

  it("say which version mends it on the component's own line", async () => {
    const events = [
      { introduced: "0" },
      { fixed: "1.1.1l" },
      { introduced: "3.0.0" },
      { fixed: "3.0.8" },
    ];
    const index = await indexed(osv(id, "Bitnami", "openssl", events));
    expect(judged(index, "openssl-1.1.1k")[0]?.fixedIn).toBe("1.1.1l");
    expect(judged(index, "openssl-3.0.7")[0]?.fixedIn).toBe("3.0.8");
  });
});

describe("versions that OSV lists", () => {
  const listed = (name: string, versions: readonly string[]) =>
    indexed({
      id: "OSV-2024-1",
      affected: [{ package: { ecosystem: "OSS-Fuzz", name }, versions }],
    });

  it.for([
    ["zstd", "v1.4.0", "zstd-1.4.0"],
    ["file", "FILE5_29", "file-5.29"],
    ["curl", "curl-7_57_0", "curl-7.57.0"],
    ["openssl", "OpenSSL_1_1_1-pre1", "openssl-1.1.1-pre1"],
    ["gnutls", "gnutls_3_6_9", "gnutls-3.6.9"],
    ["gnutls", "3.6.12", "gnutls-3.6.12"],
    ["icu", "release-78.3", "icu4c-78.3"],
  ] as const)("of %s as the tag %s are %s", async ([name, tag, path]) => {
    expect(verdicts(await listed(name, [tag]), path)).toEqual(["OSV-2024-1: vulnerable"]);
  });

  it("as tags of something else are no versions of it", async () => {
    const index = await listed("curl", ["tiny-curl-7_72_0", "gdb-17.2-release", "CVE-2021-3541"]);
    for (const version of ["7.72.0", "17.2", "2021-3541"])
      expect(verdicts(index, `curl-${version}`)).toEqual([]);
  });
});

describe("a record of OSV", () => {
  it("is known by its CVE, also where that stands under `upstream`", async () => {
    const index = await indexed(
      osv("GHSA-x", "PyPI", "Django", [{ introduced: "0" }], { aliases: ["PYSEC-1", id] }),
      osv("PYSEC-2", "PyPI", "flask", [{ introduced: "0" }], { upstream: ["CVE-2024-0002"] }),
      osv("GHSA-y", "PyPI", "no_alias", [{ introduced: "0" }]),
    );
    expect(judged(index, "python3.11-django-4.2")[0]).toMatchObject({
      advisory: id,
      aliases: ["GHSA-x", "PYSEC-1"],
    });
    expect(judged(index, "python3.12-Flask-3.0")[0]?.advisory).toBe("CVE-2024-0002");
    expect(judged(index, "python3.12-no-alias-3.0")[0]?.advisory).toBe("GHSA-y");
  });

  it("that was withdrawn says nothing", async () => {
    const index = await indexed(
      osv(id, "PyPI", "django", [{ introduced: "0" }], { withdrawn: "2024-02-01T00:00:00Z" }),
    );
    expect(verdicts(index, "python3.11-django-4.2")).toEqual([]);
  });

  it("of one language is about no other's package, nor about a C library", async () => {
    const index = await indexed(
      ...["npm", "PyPI", "crates.io", "Go", "RubyGems", "Hackage"].map((ecosystem, at) =>
        osv(`CVE-2024-100${String(at)}`, ecosystem, "zlib", [{ introduced: "0" }]),
      ),
    );
    expect(verdicts(index, "zlib-1.2.13")).toEqual([]);
    expect(verdicts(index, "ruby3.3.5-zlib-3.1.0")).toEqual(["CVE-2024-1004: vulnerable"]);
    expect(verdicts(index, "python3.11-zlib-3.1.0")).toEqual(["CVE-2024-1001: vulnerable"]);
  });

  it.for([
    ["CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:H", 9, "critical"],
    ["CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3, "critical"],
    ["CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H", 5.5, "medium"],
    ["AV:N/AC:M/Au:N/C:N/I:N/A:P", 4.3, "medium"],
    ["CVSS:9.9/AV:N", undefined, "unknown"],
    ["nonsense", undefined, "unknown"],
  ] as const)("has the score of %s: %s", async ([score, number, rating]) => {
    const index = await indexed(
      osv(id, "PyPI", "django", [{ introduced: "0" }], { severity: [{ type: "CVSS", score }] }),
    );
    expect(judged(index, "python3.11-django-4.2")[0]?.severity).toEqual({ score: number, rating });
  });

  it("without a vector is rated by its word", async () => {
    const index = await indexed(
      osv(id, "PyPI", "django", [{ introduced: "0" }], {
        database_specific: { severity: "MODERATE" },
      }),
    );
    expect(judged(index, "python3.11-django-4.2")[0]?.severity).toEqual({
      score: undefined,
      rating: "medium",
    });
  });
});

describe("two databases with one advisory", () => {
  const range = (versionEndExcluding: string) =>
    nvd(id, [{ cpe: "a:openssl:openssl", bounds: { versionEndExcluding } }]);

  it("are judged once, under all of its names", async () => {
    const index = await indexed(
      range("3.0.8"),
      osv("BIT-1", "Bitnami", "openssl", [{ introduced: "0" }, { fixed: "3.0.8" }], {
        aliases: [id],
      }),
    );
    expect(judged(index, "openssl-3.0.7")).toMatchObject([
      { advisory: id, aliases: ["BIT-1"], verdict: "vulnerable" },
    ]);
    expect(verdicts(index, "openssl-3.0.8")).toEqual([]);
  });

  it("of which one says no make it possible, and the reason says so", async () => {
    const index = await indexed(
      range("3.0.8"),
      osv("BIT-1", "Bitnami", "openssl", [{ introduced: "0" }], { aliases: [id] }),
    );
    expect(judged(index, "openssl-3.0.9")).toMatchObject([
      {
        verdict: "possible",
        reason: "every version; but another database says that it isn't affected",
      },
    ]);
  });

  it("of which one knows only the name, and the other says no, say no", async () => {
    const index = await indexed(
      range("3.0.8"),
      osv("BIT-1", "Bitnami", "openssl", [{ introduced: "0" }], {
        aliases: [id],
        database_specific: { cpes: ["cpe:2.3:a:somebody:openssl:*:*:*:*:*:*:*:*"] },
      }),
    );
    expect(verdicts(index, "openssl-3.0.9")).toEqual([]);
  });
});

describe.skipIf(withoutData !== undefined)(
  `OSV's own records${withoutData === undefined ? "" : `: ${withoutData}`}`,
  () => {
    it("are read, and what has no versions of upstream's is passed over with a word", async () => {
      const index = await indexedFiles("osv/bitnami", "osv/julia-jll", "osv/psf-python");
      expect(index.count.advisories).toBe(227);
      expect(new Map(index.count.skipped)).toEqual(
        new Map([
          ["a record of OSV in Julia's own versions", 274],
          ["a record of OSV that names no package, or no versions", 132],
        ]),
      );
    });

    it("hold for each bound of Bitnami's: the fixed version isn't affected, the introduced is", async () => {
      const index = await indexedFiles(
        "osv/bitnami/git",
        "osv/bitnami/nginx",
        "osv/bitnami/openldap",
      );
      let bounds = 0;
      for (const name of ["git", "nginx", "openldap"]) {
        const file = (record: string) => join(advisoryData ?? "", "osv/bitnami", name, record);
        for (const record of readdirSync(file(""))) {
          const { aliases, affected } = JSON.parse(readFileSync(file(record), "utf8")) as {
            aliases: [string];
            affected: [{ ranges: [{ events: Record<string, string>[] }] }];
          };
          for (const event of affected[0].ranges[0].events) {
            const [kind, version] = Object.entries(event)[0] ?? ["", ""];
            if (version === "0") continue;
            const found = verdicts(index, component(`${name}-1`, { version })).includes(
              `${aliases[0]}: vulnerable`,
            );
            expect([record, kind, version, found]).toEqual([
              record,
              kind,
              version,
              kind !== "fixed",
            ]);
            bounds++;
          }
        }
      }
      expect(bounds).toBeGreaterThan(100);
    });
  },
);
