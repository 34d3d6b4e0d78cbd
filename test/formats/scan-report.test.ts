import { describe, expect, it } from "vitest";
import { Failure } from "../../src/failure.ts";
import { decodeScanReport } from "../../src/formats/scan-report.ts";
import { withNulls } from "../../src/scan/report/json.ts";
import type { ScanReport } from "../../src/scan/report/report.ts";
import { scanReportFile, scanReportPath } from "../../script/scan-report-schema.ts";
import { textOfFile } from "../source.ts";
import { hardReport, scanReport } from "../fixtures/scan-report.ts";

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const decode = (value: unknown): ScanReport => decodeScanReport(bytesOf(value), "old.json");

function refusal(value: unknown): string {
  try {
    decode(value);
  } catch (error) {
    if (error instanceof Failure && error.code === "scan/report-malformed") return error.message;
    throw error;
  }
  throw new Error("it was read");
}

describe("a report as a file", () => {
  it("is read back as what it was written from", () => {
    expect(decode(withNulls(hardReport()))).toEqual(hardReport());
  });

  it("has every field in its place, null where nothing is known", () => {
    const text = JSON.stringify(withNulls(hardReport()));
    expect(text).toContain('"version":null');
    expect(text).toContain('"unit":null,"service":null,"owner":null');
  });

  const report = withNulls(scanReport()) as unknown as Record<string, unknown>;
  it.for<[string, unknown, string]>([
    ["a list", [], "old.json: the whole: invalid type"],
    ["another tool's report", { matches: [] }, "old.json: version: invalid value"],
    ["a later version", { ...report, version: 2 }, "old.json: version: invalid value"],
    [
      "a field too many",
      { ...report, nodules: 1 },
      "old.json: the whole: unrecognized keys (nodules)",
    ],
    ["no findings", { ...report, findings: undefined }, "old.json: findings: invalid type"],
    [
      "a time that is none",
      { ...report, made: "yesterday" },
      "old.json: made: is no time such as 2026-11-28T14:00:00Z",
    ],
    [
      "a state that is none",
      { ...report, nodes: [{ name: "n1", state: "fine", reason: null, taken: null, paths: 0 }] },
      "old.json: nodes[0].state: invalid value",
    ],
  ])("with %s is refused, naming the field", ([, value, message]) => {
    expect(refusal(value)).toBe(message);
  });

  it("that is no JSON is refused", () => {
    const bytes = new TextEncoder().encode("SEVERITY  VERDICT");
    expect(() => decodeScanReport(bytes, "old.txt")).toThrow("old.txt is not JSON");
  });

  it("is described by the published schema", async () => {
    expect(textOfFile(scanReportPath)).toBe(await scanReportFile());
  });
});
