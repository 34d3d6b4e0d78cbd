import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { noMarks, openMarks } from "../../src/cluster/marks.ts";
import { readOwnReport, readReport, writeReport } from "../../src/cluster/reports.ts";
import { encodeReport, type Report } from "../../src/formats/records/report.ts";
import { openMemory } from "../../src/sources/memory.ts";
import type { Source } from "../../src/sources/source.ts";
import { hostKey, stranger } from "../fixtures/cluster.ts";
import type { TestSigner } from "../fixtures/signer.ts";

const cluster = "00112233445566778899aabbccddeeff";
const place = { cluster, node: "n1", hostKey: hostKey.key };
const first = "2026-11-25T12:00:00Z";
const second = "2026-11-25T12:00:01Z";

let objects = new Map<string, Uint8Array>();
let source: Source = openMemory("memory", objects);
const state = mkdtempSync(join(tmpdir(), "sealaunch-test-"));
afterEach(() => {
  objects = new Map();
  source = openMemory("memory", objects);
  rmSync(state, { recursive: true, force: true });
});

const report: Report = {
  type: "report",
  version: 1,
  cluster,
  node: "n1",
  issued: first,
  services: [
    {
      unit: "dns.service",
      invocation: "0".repeat(32),
      activeState: "active",
      since: first,
      wants: ["dns"],
      bundles: [
        {
          name: "dns",
          series: 0,
          generation: 1,
          statement: "a".repeat(64),
          credentials: ["CF_TOKEN"],
        },
      ],
      refusal: null,
    },
  ],
};

/** Puts a report where that of n1 is looked for. */
async function put(change: Partial<Report> = {}, by: TestSigner = hostKey): Promise<void> {
  const bytes = encodeReport({ ...report, ...change });
  await writeReport(source, "n1", bytes, by.sign("inventory", bytes));
}

const refusal = (code: string, message: string): unknown =>
  expect.objectContaining({ code, message: expect.stringContaining(message) as string });

describe("a node's report in a source", () => {
  it("is read as the node wrote it", async () => {
    await put();
    expect(await readReport(source, noMarks, place)).toEqual(report);
    expect(await readOwnReport(source, "n1")).toEqual(report);
  });

  it("isn't there before the node has written one, or without its signature", async () => {
    await expect(readReport(source, noMarks, place)).rejects.toEqual(
      refusal("inventory/absent", "memory has no report of n1"),
    );
    await put();
    objects.delete("nodes/n1/report.json.sig");
    await expect(readReport(source, noMarks, place)).rejects.toEqual(
      refusal("inventory/absent", "n1"),
    );
  });

  it("counts only from the node's own host key", async () => {
    await put({}, stranger);
    await expect(readReport(source, noMarks, place)).rejects.toEqual(
      refusal("inventory/foreign", "its host key is"),
    );
  });

  it.each([
    ["another node's", { node: "n2" }],
    ["another cluster's", { cluster: "f".repeat(32) }],
  ])("isn't %s, though signed by that key", async (_, change) => {
    await put(change);
    await expect(readReport(source, noMarks, place)).rejects.toEqual(
      refusal("inventory/foreign", "says that it is of"),
    );
  });

  it("isn't one whose bytes were changed after it was signed", async () => {
    await put();
    const bytes = objects.get("nodes/n1/report.json") ?? new Uint8Array();
    const text = Buffer.from(bytes).toString().replace('"generation": 1', '"generation": 9');
    objects.set("nodes/n1/report.json", Buffer.from(text));
    await expect(readReport(source, noMarks, place)).rejects.toEqual(
      expect.objectContaining({ code: "signature/invalid" }),
    );
  });

  it("isn't one that was replayed, nor a second one of the same time", async () => {
    const marks = openMarks(state);
    await put({ issued: second });
    await readReport(source, marks, place);
    await readReport(source, marks, place);
    await put({ issued: first });
    await expect(readReport(source, marks, place)).rejects.toEqual(
      refusal("mark/rolled-back", "an older one than was seen here"),
    );
    await put({ issued: second, services: [] });
    await expect(readReport(source, marks, place)).rejects.toEqual(
      refusal("mark/equivocation", "another than was seen here"),
    );
  });
});
