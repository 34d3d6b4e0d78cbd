import { describe, expect, it } from "vitest";
import { conclusionOf, type FailLevel } from "../../src/scan/report/conclusion.ts";
import type { Finding, ScanReport } from "../../src/scan/report/report.ts";
import type { Verdict } from "../../src/scan/judgement.ts";
import { finding, hardReport, known, scanReport, unknown } from "../fixtures/scan-report.ts";

const rated = (rating: Finding["severity"]["rating"]): Finding =>
  finding({ severity: { score: undefined, rating } });
const stale: Partial<ScanReport> = {
  advisories: { ...scanReport().advisories, stale: true, newest: "2026-09-01T00:00:00Z" },
};
const oneUnknown: Partial<ScanReport> = { nodes: [known("n1"), unknown("n2", "no inventory")] };

describe("how a scan ends", () => {
  it.for<[Finding["severity"]["rating"], FailLevel, boolean]>([
    ["critical", "critical", true],
    ["high", "critical", false],
    ["high", "high", true],
    ["medium", "high", false],
    ["medium", "medium", true],
    ["low", "medium", false],
    ["low", "low", true],
    ["none", "low", false],
    ["unknown", "low", true],
    ["unknown", "critical", true],
  ])("with something %s and --fail-on %s is a failure: %s", ([rating, level, fails]) => {
    const conclusion = conclusionOf(scanReport([rated(rating)]), level);
    expect(conclusion?.code).toBe(fails ? "scan/vulnerable" : undefined);
  });

  it.for<Verdict>(["possible", "patched", "ignored", "unknown"])(
    "is no failure for what is %s",
    (verdict) => {
      expect(conclusionOf(scanReport([finding({ verdict })]), "low")).toBeUndefined();
    },
  );

  it("is no failure without --fail-on, whatever was found", () => {
    expect(conclusionOf(scanReport([rated("critical")]), undefined)).toBeUndefined();
  });

  it("names the worst, and how many there are", () => {
    const findings = [rated("high"), { ...rated("critical"), advisory: "CVE-2014-0160" }];
    expect(conclusionOf(scanReport(findings), "medium")?.message).toBe(
      "2 findings at or above medium, the worst openssl 3.0.7 by CVE-2014-0160 (critical)",
    );
  });

  it("is never 0 while a node is unknown, or none was looked at", () => {
    expect(conclusionOf(scanReport([], oneUnknown), undefined)).toEqual({
      code: "scan/unknown",
      message: "1 of 2 nodes unknown, such as n2: no inventory",
    });
    expect(conclusionOf(scanReport([], { nodes: [] }), undefined)?.code).toBe("scan/unknown");
  });

  it("is never 0 while a cache that was asked is unknown, and says what mends it", () => {
    const { publishers } = hardReport();
    expect(conclusionOf(scanReport([], { publishers }), undefined)).toMatchObject({
      code: "scan/unknown",
      message: "what publishers say in https://cache.example.org is unknown: nobody listens there",
      hint: expect.stringContaining("--cache URL") as unknown,
    });
    const known = publishers.caches.filter(({ state }) => state === "known");
    const told = { ...publishers, caches: known };
    expect(conclusionOf(scanReport([], { publishers: told }), undefined)).toBeUndefined();
  });

  it("is never 0 with advisories that are too old", () => {
    expect(conclusionOf(scanReport([], stale), undefined)).toEqual({
      code: "scan/stale",
      message: "the newest advisory is of 2026-09-01, and this was made on 2026-11-28",
    });
  });

  it("puts what was found before what is unknown, and that before what is stale", () => {
    const all = scanReport([rated("high")], { ...stale, ...oneUnknown });
    expect(conclusionOf(all, "high")?.code).toBe("scan/vulnerable");
    expect(conclusionOf(all, undefined)?.code).toBe("scan/unknown");
  });
});
