import { describe, expect, it } from "vitest";
import { changesBetween } from "../../src/scan/report/changes.ts";
import { changeLines } from "../../src/scan/report/change-lines.ts";
import { finding, hardReport, known, scanReport, unknown, use } from "../fixtures/scan-report.ts";

const nothing = { fresh: [], gone: [], unseen: [], changed: [], spread: [], lost: [], learnt: [] };

describe("what changed since an earlier report", () => {
  it("is nothing between a report and itself", () => {
    expect(changesBetween(hardReport(), hardReport())).toEqual(nothing);
  });

  it("is what is new, and what is gone from nodes that were looked at", () => {
    const [old, fresh] = [finding(), finding({ advisory: "CVE-2023-0286" })];
    expect(changesBetween(scanReport([old]), scanReport([fresh]))).toEqual({
      ...nothing,
      fresh: [fresh],
      gone: [old],
    });
  });

  it.for([
    ["unknown now", [unknown("n1", "refuses"), known("n2")]],
    ["not asked about any more", [known("n2")]],
  ] as const)("doesn't call gone what was on a node that is %s", ([, nodes]) => {
    const old = finding();
    const changes = changesBetween(scanReport([old]), scanReport([], { nodes }));
    expect(changes.gone).toEqual([]);
    expect(changes.unseen).toEqual([old]);
  });

  it("is a verdict that is another", () => {
    const [before, after] = [finding(), finding({ verdict: "patched" })];
    expect(changesBetween(scanReport([before]), scanReport([after]))).toEqual({
      ...nothing,
      changed: [{ before, after }],
    });
  });

  it("tells patched and unpatched paths of one version apart", () => {
    const [bare, patched] = [finding(), finding({ verdict: "patched" })];
    const changes = changesBetween(scanReport([bare, patched]), scanReport([patched]));
    expect(changes).toEqual({ ...nothing, gone: [bare] });
  });

  it("is a finding that reached further nodes", () => {
    const wider = finding({ uses: [use(), use({ node: "n2" })] });
    expect(changesBetween(scanReport(), scanReport([wider]))).toEqual({
      ...nothing,
      spread: [{ finding: wider, nodes: ["n2"] }],
    });
  });

  it("is a node that became unknown, and one that became known", () => {
    const before = scanReport([], { nodes: [known("n1"), unknown("n2", "refuses")] });
    const after = scanReport([], { nodes: [unknown("n1", "refuses"), known("n2")] });
    expect(changesBetween(before, after)).toEqual({
      ...nothing,
      lost: [unknown("n1", "refuses")],
      learnt: [known("n2")],
    });
  });
});

describe("the lines of what changed", () => {
  it("say that nothing did", () => {
    const changes = changesBetween(scanReport(), scanReport());
    expect(changeLines(changes, "2026-11-28T14:00:00Z")).toEqual([
      "nothing changed since 2026-11-28T14:00:00Z",
    ]);
  });

  it("name what is unknown now before all else, and each change in a line", () => {
    const before = scanReport(
      [
        finding({ advisory: "CVE-1" }),
        finding({ advisory: "CVE-2" }),
        finding({ advisory: "CVE-3", uses: [use({ node: "n2" })] }),
        finding({ advisory: "CVE-4" }),
      ],
      { nodes: [known("n1"), known("n2"), unknown("n3", "refuses")] },
    );
    const after = scanReport(
      [
        finding({ advisory: "CVE-1", verdict: "ignored", reason: "by ann: not reachable" }),
        finding({ advisory: "CVE-4", uses: [use(), use({ node: "n3" })] }),
        finding({ advisory: "CVE-5" }),
      ],
      { nodes: [known("n1"), unknown("n2", "is offline"), known("n3")] },
    );
    expect(changeLines(changesBetween(before, after), before.made)).toEqual([
      "since 2026-11-28T14:00:00Z:",
      "unknown now: n2: is offline",
      "new: CVE-5 in openssl 3.0.7 (vulnerable, high): 1 service, 1 node, owner dns-team; fixed in 3.0.8",
      "changed: CVE-1 in openssl 3.0.7, vulnerable before, ignored now: by ann: not reachable",
      "spread: CVE-4 in openssl 3.0.7 (vulnerable, high), now also on n3",
      "gone: CVE-2 in openssl 3.0.7 (vulnerable, high)",
      "not seen: CVE-3 in openssl 3.0.7 (vulnerable, high): nothing is known of a node that had it",
      "known now: n3",
    ]);
  });
});
