import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { indexedFiles, judged, withoutData } from "./judging.ts";

/**
 * What vulnix 1.12.3 reports over its fixtures CVE-modified.json and nvdcve-2.0-modified.json: its
 * `Vulnerability.match` for each of its product candidates, taken down by running it.
 */
const byVulnix: Readonly<Record<string, string>> = {
  "transmission-1.91": "CVE-2010-0748",
  "openssl-1.0.2-beta1": "CVE-2015-1789",
  "openssl-1.0.1m": "CVE-2015-1789 CVE-2016-2183",
  "php-7.2.20": "CVE-2019-11041",
  "python-3.5.2": "CVE-2016-2183 CVE-2019-10160",
  "firefox-3.6.11": "CVE-2010-3765",
  "virtualization-4.0": "CVE-2019-10160",
  "node.js-4.4.0": "CVE-2016-2183",
  xercesc: "refused",
};

/** The rows of the table in docs/scanning.md: package, vulnix, here. */
function rows(): readonly (readonly [string, string, string, string])[] {
  const page = readFileSync(new URL("../../docs/scanning.md", import.meta.url), "utf8");
  const [, table = ""] = page.split("<!-- beside vulnix -->\n");
  return table
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => {
      const [, name = "", vulnix = "", here = "", why = ""] = line
        .split("|")
        .map((cell) => cell.trim());
      return [name.replaceAll("`", ""), vulnix, here, why];
    });
}

describe("the table beside vulnix in docs/scanning.md", () => {
  it("has what vulnix reports, and a reason for each package", () => {
    expect(rows().length).toBeGreaterThan(20);
    for (const [name, vulnix, , why] of rows()) {
      expect([name, vulnix]).toEqual([name, byVulnix[name] ?? ""]);
      expect([name, why]).not.toEqual([name, ""]);
    }
    expect(Object.keys(byVulnix).filter((name) => !rows().some(([row]) => row === name))).toEqual(
      [],
    );
  });
});

describe.skipIf(withoutData !== undefined)(
  `vulnix's fixtures${withoutData === undefined ? "" : `: ${withoutData}`}`,
  () => {
    it.for(rows())("say of %s, by vulnix %j, here %j", async ([name, , here]) => {
      const index = await indexedFiles("nvd/feeds");
      const found = judged(index, name)
        .map(({ advisory, verdict }) => `${advisory} ${verdict}`)
        .sort();
      expect(found.join(", ")).toBe(here);
    });
  },
);
