import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { advisoryData, component, indexed, nvd, verdicts, withoutData } from "./judging.ts";

interface Row {
  readonly id: string;
  readonly first: string;
  readonly last: string;
}

/** curl's own table: the first and the last version that each advisory is about. */
function rows(): readonly Row[] {
  const lines = readFileSync(join(advisoryData ?? "", "curl/vuln.psv"), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => {
    const [, first = "", last = "", , id = ""] = line.split("|");
    return { id, first, last };
  });
}

/** An order of its own: curl's releases are three numbers at most. */
function place(version: string): number {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  return (major * 1_000 + minor) * 1_000 + patch;
}

describe.skipIf(withoutData !== undefined)(
  `curl's table${withoutData === undefined ? "" : `: ${withoutData}`}`,
  () => {
    it("agrees in every row, for every release that it names", async () => {
      const table = rows();
      expect(table.length).toBe(206);
      const releases = [...new Set(table.flatMap(({ first, last }) => [first, last]))];
      expect(releases.length).toBeGreaterThan(100);
      const index = await indexed(
        ...table.map(({ id, first, last }) =>
          nvd(id, [
            {
              cpe: "a:haxx:curl",
              bounds: { versionStartIncluding: first, versionEndIncluding: last },
            },
          ]),
        ),
      );
      let affected = 0;
      for (const release of releases) {
        const truth = table
          .filter(
            ({ first, last }) => place(first) <= place(release) && place(release) <= place(last),
          )
          .map(({ id }) => `${id}: vulnerable`)
          .sort();
        affected += truth.length;
        for (const version of [release, release.replace(/^([0-9]+\.[0-9]+)$/, "$1.0")])
          expect([version, ...verdicts(index, component("curl-8", { version }))]).toEqual([
            version,
            ...truth,
          ]);
      }
      expect(affected).toBeGreaterThan(5_000);
    });
  },
);
