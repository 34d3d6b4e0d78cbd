import { describe, expect, it } from "vitest";
import {
  component,
  configuration,
  indexed,
  indexedFiles,
  judged,
  nvd,
  verdicts,
  withoutData,
} from "./judging.ts";

const id = "CVE-2024-0001";
const about = async (...configurations: object[]) => indexed({ cve: { id, configurations } });

describe("bounds of NVD", () => {
  const bound = (bounds: Record<string, string>, cpe = "a:openssl:openssl") =>
    indexed(nvd(id, [{ cpe, bounds }]));

  it.for([
    [
      { versionStartIncluding: "3.0.0", versionEndExcluding: "3.0.8" },
      ["3.0.0", "3.0.7"],
      ["1.1.1", "3.0.8", "3.0.0-beta1"],
    ],
    [
      { versionStartExcluding: "3.0.0", versionEndIncluding: "3.0.8" },
      ["3.0.1", "3.0.8"],
      ["3.0.0", "3.0.9"],
    ],
    [{ versionEndExcluding: "1.1.1l" }, ["1.1.1k", "1.1.1", "1.0.2"], ["1.1.1l", "3.0.0"]],
    [{ versionStartIncluding: "3.0.0" }, ["3.0.0", "4.0"], ["1.1.1w"]],
    [{}, ["1.0", "99"], []],
  ] as const)("%j hold %j and not %j", async ([bounds, inside, outside]) => {
    const index = await bound(bounds);
    for (const version of inside)
      expect([version, ...verdicts(index, `openssl-${version}`)]).toEqual([
        version,
        `${id}: vulnerable`,
      ]);
    for (const version of outside)
      expect([version, ...verdicts(index, `openssl-${version}`)]).toEqual([version]);
  });

  it("or the version in the name, with its update", async () => {
    const index = await bound({}, "a:openssl:openssl:1.0.0:beta1");
    expect(verdicts(index, "openssl-1.0.0-beta1")).toEqual([`${id}: vulnerable`]);
    expect(verdicts(index, "openssl-1.0.0")).toEqual([]);
  });

  it("say from which version on it is mended", async () => {
    const index = await bound({ versionEndExcluding: "3.0.8" });
    expect(judged(index, "openssl-3.0.7")[0]).toMatchObject({
      fixedIn: "3.0.8",
      reason: "version < 3.0.8",
    });
    const including = await bound({ versionEndIncluding: "3.0.7" });
    expect(judged(including, "openssl-3.0.7")[0]?.fixedIn).toBeUndefined();
  });

  it("need no version to be possible, where the advisory names none", async () => {
    const index = await bound({}, "a:openssl:openssl:-");
    expect(judged(index, "openssl-3.0.7")[0]).toMatchObject({
      verdict: "possible",
      reason: "the advisory names no version",
    });
  });

  it("leave unknown what has no version", async () => {
    const index = await indexed(
      nvd(id, [{ cpe: "a:apache:xerces-c\\+\\+", bounds: { versionEndExcluding: "3.2.5" } }]),
    );
    expect(judged(index, "xercesc")[0]).toMatchObject({
      verdict: "unknown",
      reason: "its version isn't known",
    });
    const known = component("xercesc", { version: "3.2.3" });
    expect(verdicts(index, known)).toEqual([`${id}: vulnerable`]);
  });

  it("leave only possible what a snapshot or a build may have mended", async () => {
    const index = await bound({ versionEndExcluding: "3.0.8" });
    expect(judged(index, "openssl-3.0.7-unstable-2023-01-30")[0]).toMatchObject({
      verdict: "possible",
      reason: "version < 3.0.8; a snapshot after 3.0.7 may hold the fix",
    });
    expect(judged(index, "openssl-0-unstable-2023-01-30")).toEqual([]);
    const last = await bound({ versionEndIncluding: "3.0.7" });
    expect(judged(last, "openssl-3.0.7-2")[0]?.reason).toBe(
      "version <= 3.0.7; 3.0.7-2 is a build or patch level of 3.0.7",
    );
  });

  it("are upstream's, not nixpkgs': its own revision of glibc doesn't count", async () => {
    const index = await indexed(
      nvd(id, [{ cpe: "a:gnu:glibc", bounds: { versionEndIncluding: "2.42" } }]),
    );
    expect(verdicts(index, "glibc-2.42-67")).toEqual([`${id}: vulnerable`]);
    expect(verdicts(index, "glibc-2.43-3")).toEqual([]);
  });
});

describe("configurations of NVD", () => {
  const transmission = {
    cpe: "a:transmissionbt:transmission",
    bounds: { versionEndExcluding: "1.92" },
  };
  const runsOn = (cpe: string, bounds = {}) => ({ cpe, isVulnerable: false, bounds }) as const;
  const both = (...others: readonly { cpe: string; isVulnerable?: false }[]) =>
    about(configuration([{ matches: [transmission] }, { matches: others }], "AND"));

  it("that run on Linux are true here", async () => {
    const index = await both(runsOn("o:linux:linux_kernel:-"));
    expect(verdicts(index, "transmission-1.91")).toEqual([`${id}: vulnerable`]);
    expect(verdicts(index, "transmission-1.92")).toEqual([]);
  });

  it.for(["o:microsoft:windows:-", "o:apple:macos", "o:google:android:11.0", "o:freebsd:freebsd"])(
    "that run on %s alone are not",
    async (cpe) => {
      expect(verdicts(await both(runsOn(cpe)), "transmission-1.91")).toEqual([]);
    },
  );

  it("that run on Windows or Linux are", async () => {
    const index = await both(runsOn("o:microsoft:windows:-"), runsOn("o:linux:linux_kernel:-"));
    expect(verdicts(index, "transmission-1.91")).toEqual([`${id}: vulnerable`]);
  });

  it.for([
    ["h:espressif:esp32:-", "version < 1.92; only on hardware espressif:esp32"],
    ["a:php:php", "version < 1.92; only together with php:php"],
    ["o:debian:debian_linux:10.0", "version < 1.92; only on debian:debian_linux"],
  ] as const)("that need %s are only possible", async ([cpe, reason]) => {
    expect(judged(await both(runsOn(cpe)), "transmission-1.91")[0]).toMatchObject({
      verdict: "possible",
      reason,
    });
  });

  it("say nothing of what the vulnerable one runs with", async () => {
    const index = await about(
      configuration(
        [{ matches: [transmission] }, { matches: [runsOn("a:openssl:openssl")] }],
        "AND",
      ),
    );
    expect(verdicts(index, "openssl-3.0.7")).toEqual([]);
  });

  it("with a negated node hold where it can't be true, and are open where it can", async () => {
    const without = (cpe: string) =>
      about(
        configuration(
          [{ matches: [transmission] }, { negate: true, matches: [runsOn(cpe)] }],
          "AND",
        ),
      );
    expect(verdicts(await without("o:microsoft:windows:-"), "transmission-1.91")).toEqual([
      `${id}: vulnerable`,
    ]);
    expect(verdicts(await without("o:linux:linux_kernel:-"), "transmission-1.91")).toEqual([]);
    expect(verdicts(await without("a:php:php"), "transmission-1.91")).toEqual([`${id}: possible`]);
  });

  it("say nothing of a product that stands only where it is negated", async () => {
    const index = await about(
      configuration(
        [{ negate: true, matches: [transmission] }, { matches: [{ cpe: "a:php:php" }] }],
        "AND",
      ),
    );
    expect(verdicts(index, "transmission-1.91")).toEqual([]);
  });

  it("whose node needs all of its products are only possible of one", async () => {
    const index = await about(
      configuration([{ operator: "AND", matches: [transmission, { cpe: "a:php:php" }] }]),
    );
    expect(verdicts(index, "transmission-1.91")).toEqual([`${id}: possible`]);
  });

  it("of several are any of them", async () => {
    const index = await about(
      configuration([{ matches: [{ cpe: "a:php:php", bounds: { versionEndExcluding: "8.1" } }] }]),
      configuration([{ matches: [transmission] }]),
    );
    expect(verdicts(index, "transmission-1.91")).toEqual([`${id}: vulnerable`]);
    expect(verdicts(index, "php-8.0.1")).toEqual([`${id}: vulnerable`]);
    expect(verdicts(index, "php-8.1.0")).toEqual([]);
  });
});

describe("a record of NVD", () => {
  const openssl = [{ cpe: "a:openssl:openssl" }];

  it("that was rejected says nothing, and neither does anybody else of its id", async () => {
    const index = await indexed(
      {
        id: "BIT-openssl-2024-0001",
        aliases: [id],
        affected: [
          {
            package: { ecosystem: "Bitnami", name: "openssl" },
            ranges: [{ type: "SEMVER", events: [{ introduced: "0" }] }],
          },
        ],
      },
      nvd(id, openssl, { vulnStatus: "Rejected" }),
    );
    expect(verdicts(index, "openssl-3.0.7")).toEqual([]);
    expect(index.count).toMatchObject({ advisories: 1, withdrawn: 1 });
  });

  it("that was changed later counts, in whichever order they are read", async () => {
    const older = nvd(id, openssl, { lastModified: "2024-01-01T00:00:00.000" });
    const newer = nvd(
      id,
      [{ cpe: "a:openssl:openssl", bounds: { versionEndExcluding: "3.0.0" } }],
      {
        lastModified: "2024-06-01T00:00:00.000",
      },
    );
    for (const records of [
      [older, newer],
      [newer, older],
    ]) {
      const index = await indexed(...records);
      expect(verdicts(index, "openssl-3.0.7")).toEqual([]);
      expect(verdicts(index, "openssl-1.1.1k")).toEqual([`${id}: vulnerable`]);
      expect(index.count).toMatchObject({ advisories: 1, newest: "2024-06-01T00:00:00.000Z" });
    }
  });

  it("is flagged where it is disputed, by tag or by its text", async () => {
    const tagged = await indexed(
      nvd(id, openssl, { cveTags: [{ sourceIdentifier: "x", tags: ["disputed"] }] }),
    );
    expect(judged(tagged, "openssl-3.0.7")[0]?.disputed).toBe(true);
    const written = await indexed(
      nvd(id, openssl, { descriptions: [{ lang: "en", value: "** DISPUTED ** It is none." }] }),
    );
    expect(judged(written, "openssl-3.0.7")[0]?.disputed).toBe(true);
    expect(judged(await indexed(nvd(id, openssl)), "openssl-3.0.7")[0]?.disputed).toBe(false);
  });

  it("has NVD's own score before another's, of the newest CVSS", async () => {
    const metrics = {
      cvssMetricV31: [
        { type: "Secondary", cvssData: { baseScore: 9.8 } },
        { type: "Primary", cvssData: { baseScore: 7.5 } },
      ],
      cvssMetricV2: [{ type: "Primary", cvssData: { baseScore: 4.3 } }],
    };
    const index = await indexed(nvd(id, openssl, { metrics }));
    expect(judged(index, "openssl-3.0.7")[0]?.severity).toEqual({ score: 7.5, rating: "high" });
  });
});

describe.skipIf(withoutData !== undefined)(
  `NVD's own records${withoutData === undefined ? "" : `: ${withoutData}`}`,
  () => {
    it("are read whole: feeds, a mirror's, a page of the API, single items", async () => {
      const index = await indexedFiles("nvd");
      expect(index.count).toMatchObject({ advisories: 88, withdrawn: 1 });
      expect([...index.count.skipped]).toEqual([]);
    });

    it.for([
      ["transmission-1.91", ["CVE-2010-0748: vulnerable"]],
      ["transmission-1.92", []],
      ["openssl-1.0.2-beta1", ["CVE-2015-1789: vulnerable"]],
      ["openssl-1.0.1m", ["CVE-2015-1789: vulnerable", "CVE-2016-2183: vulnerable"]],
      ["openssl-1.0.1n", ["CVE-2016-2183: vulnerable"]],
      ["openssl-1.1.1d", []],
      ["openssl-0.9.8zf", ["CVE-2015-1789: vulnerable"]],
      ["openssl-0.9.8zg", []],
      ["php-7.2.20", ["CVE-2019-11041: vulnerable"]],
      ["php-7.2.21", []],
      ["xz-5.6.1", ["CVE-2024-3094: vulnerable"]],
      ["xz-5.6.2", []],
      ["xz-5.4.6", []],
      ["libXpm-3.5.14", ["CVE-2022-46285: vulnerable"]],
      ["libXpm-3.5.15", []],
      ["busybox-1.31.1", ["CVE-2018-1000500: vulnerable"]],
      ["busybox-1.32.0", []],
      ["samba-4.15.8", ["CVE-2022-32746: vulnerable"]],
      ["samba-4.15.9", []],
      ["openjpeg-2.4.0", ["CVE-2022-1122: vulnerable"]],
      ["openjpeg-2.5.0", []],
      ["mysql-8.0.34", ["CVE-2023-22068: vulnerable"]],
      ["mysql-8.0.35", []],
      ["whitepage-1.1.5", []],
      ["gitlab-14.4.4", ["CVE-2022-0090: possible"]],
    ] as const)("say of %s: %j", async ([name, expected]) => {
      expect(verdicts(await indexedFiles("nvd"), name)).toEqual(expected);
    });
  },
);
