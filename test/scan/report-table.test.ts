import { describe, expect, it } from "vitest";
import type { Finding } from "../../src/scan/report/report.ts";
import { reportTable } from "../../src/scan/report/table.ts";
import { packageSummaries, summaryLine } from "../../src/scan/report/summary.ts";
import { finding, hardReport, known, scanReport, unknown, use } from "../fixtures/scan-report.ts";

/** openssl 3.0.7 on 61 nodes, in four services of two owners; twelve run the old one still. */
const rolledOut: Finding = finding({
  uses: Array.from({ length: 61 }, (_, at) => {
    const service = ["dns", "web", "mail", "ntp"][at % 4] ?? "";
    return use({
      node: `n${String(at)}`,
      unit: `${service}.service`,
      service,
      owner: service === "dns" ? "dns-team" : "web",
      running: at < 12 ? "restart owed" : "yes",
    });
  }),
});

describe("the line of a package", () => {
  it("says how many services and nodes, whose, fixed in what, and what is owed a restart", () => {
    const [summary] = packageSummaries(scanReport([rolledOut]));
    expect(summaryLine(summary!)).toBe(
      "openssl 3.0.7: 4 services, 61 nodes, owners dns-team, web; fixed in 3.0.8; rolled out but not restarted: 12",
    );
  });

  it.for<[string, readonly Finding[], string]>([
    [
      "one of each",
      [finding()],
      "openssl 3.0.7: 1 service, 1 node, owner dns-team; fixed in 3.0.8",
    ],
    [
      "the highest of several versions that mend it",
      [finding({ fixedIn: "3.0.12" }), finding({ advisory: "CVE-2023-0286", fixedIn: "3.0.8" })],
      "openssl 3.0.7: 1 service, 1 node, owner dns-team; fixed in 3.0.12",
    ],
    [
      "advisories of which one isn't mended anywhere",
      [finding(), finding({ advisory: "CVE-2023-0286", fixedIn: undefined })],
      "openssl 3.0.7: 1 service, 1 node, owner dns-team; 1 of 2 fixed in a later version",
    ],
    [
      "what nobody mends, nobody owns, and is only possible",
      [finding({ fixedIn: undefined, verdict: "possible", uses: [use({ owner: undefined })] })],
      "openssl 3.0.7 (possibly): 1 service, 1 node, no owner named; no version is known to mend it",
    ],
    [
      "what only a profile keeps",
      [finding({ uses: [use({ unit: undefined, service: undefined, owner: undefined })] })],
      "openssl 3.0.7: no service that is known, 1 node, no owner named; fixed in 3.0.8",
    ],
    [
      "what nothing uses",
      [finding({ uses: [] })],
      "openssl 3.0.7: used by nothing that is known; fixed in 3.0.8",
    ],
    [
      "no version, and a path that is gone from disk",
      [
        finding({
          version: undefined,
          verdict: "unknown",
          uses: [use({ running: "deleted but mapped" })],
        }),
      ],
      "openssl (can't be told): 1 service, 1 node, owner dns-team; fixed in 3.0.8; deleted but still mapped: 1",
    ],
  ])("has %s", ([, findings, line]) => {
    expect(packageSummaries(scanReport(findings)).map(summaryLine)).toEqual([line]);
  });

  it("is there neither for what is patched nor for what is ignored", () => {
    const findings = [finding({ verdict: "patched" }), finding({ verdict: "ignored" })];
    expect(packageSummaries(scanReport(findings))).toEqual([]);
  });
});

describe("the table of a report", () => {
  it("names unknown nodes before all else, with the reason", () => {
    const nodes = [known("n1"), unknown("n7", "another node's inventory")];
    expect(reportTable(scanReport([], { nodes })).before).toEqual([
      "unknown: 1 of 2 nodes; nothing below speaks of them",
      "  n7: another node's inventory",
    ]);
  });

  it("says that data is stale, and how many records couldn't be read", () => {
    const { advisories } = scanReport();
    const stale = { ...advisories, stale: true, ageDays: 41.9, skipped: 1 };
    expect(reportTable(scanReport([], { advisories: stale })).before).toEqual([
      "stale: the newest advisory is 41 days old; what came since is in none of this",
      "skipped: 1 record that couldn't be read",
    ]);
  });

  it("says which caches are unknown, which records count as none, and how many paths have one", () => {
    const { before, after } = reportTable(hardReport());
    expect(before.slice(2)).toEqual([
      "unknown: what publishers say in https://cache.example.org: nobody listens there",
      "refused: 1 publisher's record, judged as if there were none",
      expect.stringMatching(/^ {2}\/nix\/store\/a{32}-openssl-3\.0\.7: .*\(signature\/invalid\)$/u),
    ]);
    expect(after.at(-2)).toBe("12 of 40 paths have a publisher's record; 1 didn't verify");
  });

  it("has a row for every finding, the worst verdict and severity first", () => {
    const { rows, head } = reportTable(hardReport());
    expect(rows.map((row) => [row[0], row[1], row[3]])).toEqual([
      ["high 7.5", "vulnerable", "CVE-2022-3602"],
      ["medium 5.0", "possible, disputed", "CVE-2021-0001"],
      ["unknown", "unknown", "CVE-2019-11411"],
      ["low 2.1", "ignored", "CVE-2020-1111"],
      ["critical 9.8", "patched", "CVE-2023-0286"],
    ]);
    expect(rows.every((row) => row.length === head.length)).toBe(true);
  });

  it("ends with what was looked at, also where nothing was found", () => {
    expect(reportTable(scanReport([])).after).toEqual([
      "nothing found: 2 nodes of 2 known, 2000 advisories, the newest of 2026-11-27",
    ]);
    const { advisories } = scanReport();
    expect(reportTable(scanReport([], { advisories: { ...advisories, files: [] } })).after).toEqual(
      ["nothing found: 2 nodes of 2 known"],
    );
    expect(reportTable(hardReport()).after.at(-1)).toBe(
      "1 vulnerable, 1 possible, 1 unknown, 1 ignored, 1 patched: 3 nodes of 4 known, 2000 advisories, the newest of 2026-11-27",
    );
  });
});
