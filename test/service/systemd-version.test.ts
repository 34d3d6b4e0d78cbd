import { describe, expect, it } from "vitest";
import { examineVersion } from "../../src/service/systemd-version.ts";

describe("systemd's version", () => {
  it.for([
    ["249.11-0ubuntu3", "error"],
    ["252.0-1", "error"],
    ["252.3", "error"],
    ["252-18.el9", "warning"],
    ["252.4-1", undefined],
    ["252.39-1~deb12u2", undefined],
    ["250.3", undefined],
    ["260.1", undefined],
  ] as const)("%s is judged as %s", ([version, severity]) => {
    const findings = examineVersion(version);
    expect(findings.map((finding) => finding.severity)).toEqual(
      severity === undefined ? [] : [severity],
    );
    for (const { failure } of findings) {
      expect(failure.code).toBe("systemd/too-old");
      expect(failure.message).toContain(version);
    }
  });
});
