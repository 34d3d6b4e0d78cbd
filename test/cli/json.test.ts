import * as fc from "fast-check";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { jsonPieces } from "../../src/cli/json.ts";
import { withNulls } from "../../src/scan/report/json.ts";
import { cleanEnvironment, sealaunchPath } from "../fixtures/program.ts";
import { hardReport } from "../fixtures/scan-report.ts";
import { dumpOf } from "../scan/stores.ts";
import { seed } from "../soak.ts";

function written(value: unknown, isWhole = false): { text: string; pieces: string[] } {
  const pieces = [...jsonPieces(value, isWhole)];
  return { text: pieces.join(""), pieces };
}

describe("JSON for programs", () => {
  it("is spelled as JSON.stringify spells it", () => {
    const value = fc.jsonValue({ maxDepth: 5, noUnicodeString: true }) as fc.Arbitrary<unknown>;
    const plain = fc.tuple(value, value).map(([one, other]) => ({ one, other: [other, one] }));
    fc.assert(
      fc.property(plain, (one) => {
        expect(written(one).text).toBe(`${JSON.stringify(one, null, 2)}\n`);
      }),
      { seed, numRuns: 300 },
    );
  });

  it.for<[string, unknown]>([
    ["nothing", null],
    ["an empty list", []],
    ["an empty object", {}],
    ["lists in lists", [[], [[]], [{}]]],
    ["a field without a value", { here: 1, absent: undefined }],
    ["a time", { at: new Date(0) }],
    ["a number that JSON hasn't", [Infinity, 1e21, -0]],
  ])("spells %s as JSON.stringify does", ([, value]) => {
    expect(written(value).text).toBe(`${JSON.stringify(value, null, 2)}\n`);
  });

  it("escapes what would steer a terminal, and means the same", () => {
    const hard = { "a\u202eb": ["\u009b31m", "\u2028", "\u{e0001}"] };
    const { text } = written(hard);
    expect(text).not.toMatch(/[\u202e\u009b\u2028\u{e0001}]/u);
    expect(JSON.parse(text)).toEqual(hard);
  });

  it("has null where a whole report has no value", () => {
    expect(JSON.parse(written(hardReport(), true).text)).toEqual(
      JSON.parse(JSON.stringify(withNulls(hardReport()))),
    );
  });

  it("is handed on in pieces, none of which is large", () => {
    const list = Array.from({ length: 100_000 }, (_, at) => ({ path: `/nix/store/${String(at)}` }));
    const { text, pieces } = written({ list });
    expect(text.length).toBeGreaterThan(4_000_000);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(66_000);
  });
});

describe("who reads slowly", () => {
  it.for<[string, string]>([
    ["a report", "--package openssl --json"],
    ["a table", "--package openssl"],
  ])("gets all of %s, and the program's own end", ([, options]) => {
    const directory = mkdtempSync(join(tmpdir(), "sealaunch-slow-"));
    try {
      const names = Array.from({ length: 1000 }, (_, at) => `openssl-3.0.${String(at)}`);
      writeFileSync(
        join(directory, "n1.dump"),
        dumpOf({ "dns-1.0": names, ...Object.fromEntries(names.map((name) => [name, []])) }),
      );
      const scan = `{ ${sealaunchPath} scan --dump n1.dump ${options}; echo "ended with $?" >&2; }`;
      const read = (reader: string): [stdout: string, stderr: string] => {
        const { stdout, stderr } = spawnSync("sh", ["-c", `${scan} | ${reader}`], {
          cwd: directory,
          encoding: "utf8",
          env: cleanEnvironment,
          maxBuffer: 64 * 1024 * 1024,
        });
        return [stdout.replace(/"made": ".*"/u, '"made": ""'), stderr];
      };
      // A pipe holds 64 KiB.
      const [slowly, ending] = read("{ sleep 1; cat; }");
      const [quickly] = read("cat");
      expect(slowly.length).toBeGreaterThan(100_000);
      expect(slowly).toBe(quickly);
      expect(ending).toBe("ended with 0\n");
      if (options.endsWith("--json")) JSON.parse(slowly);
      else expect(slowly).toContain("1 node of 1 known");
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
