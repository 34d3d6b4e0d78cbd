import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Rule } from "../../src/scan/rules/rule.ts";
import { readVulnixRules } from "../../src/scan/rules/vulnix-rules.ts";
import { refusal } from "../fixtures/refusal.ts";
import { component, indexed, judged, nvd, withoutData } from "./judging.ts";

const [first, second, third] = ["CVE-2015-7696", "CVE-2016-9844", "CVE-2018-1000035"] as const;
const unzip = (id: string) => nvd(id, [{ cpe: "a:unzip_project:unzip" }]);
const rules = (text: string): readonly Rule[] => readVulnixRules("rules.toml", text).rules;

/** `ID: verdict: reason` of each advisory for unzip 6.0. */
async function said(text: string, ...ids: readonly string[]): Promise<readonly string[]> {
  const index = await indexed(...ids.map(unzip));
  return judged(index, "unzip-6.0", rules(text))
    .map(({ advisory, verdict, reason }) => `${advisory}: ${verdict}: ${reason}`)
    .sort();
}

const open = (id: string): string => `${id}: vulnerable: every version`;

describe("a rule of vulnix", () => {
  it("ignores what it lists, and says who, until when, why, and what else would be said", async () => {
    expect(
      await said(
        `["unzip"]\ncve = "${first}"\ncomment = "only our own archives"\nissue_url = "https://example.org/1"\nuntil = "2026-12-01"`,
        first,
      ),
    ).toEqual([
      `${first}: ignored: by rules.toml until 2026-12-01: only our own archives; https://example.org/1 (else: every version)`,
    ]);
  });

  it.for([
    ["of another version", `["unzip-5.52"]`],
    ["of another package", `["zip"]`],
    ["in another case", `["UnZip"]`],
    ["that lists others", `["unzip"]\ncve = ["${second}"]`],
    ["whose day has come", `["unzip"]\nuntil = "2026-11-01"`],
    ["whose day is past", `["unzip"]\nuntil = 2018-03-01`],
  ])("%s says nothing", async ([, text]) => {
    expect(await said(text ?? "", first)).toEqual([open(first)]);
  });

  it.for([
    `["unzip"]`,
    `["unzip-6.0"]`,
    `["*"]\ncve = ["${first}"]`,
    `["unzip"]\nuntil = 2026-11-02`,
  ])("%s is one for unzip 6.0", async (text) => {
    expect((await said(text, first))[0]).toContain(": ignored: ");
  });

  it("is void once an advisory appears that it doesn't list, and says so", async () => {
    const why = `the rule of rules.toml for unzip is void, since it doesn't list ${second}`;
    expect(await said(`["unzip"]\ncve = ["${first}"]`, first, second)).toEqual([
      `${open(first)}; ${why}`,
      open(second),
    ]);
  });

  it("counts what any rule for the package lists as seen", async () => {
    const both = await said(
      `["unzip-6.0"]\ncve = "${first}"\n["*"]\ncve = ["${second}"]`,
      first,
      second,
    );
    expect(both.map((line) => line.split(": ")[1])).toEqual(["ignored", "ignored"]);
  });

  it("without a list stays, whatever appears", async () => {
    const all = await said(`["unzip"]`, first, second, third);
    expect(all.map((line) => line.split(": ")[1])).toEqual(["ignored", "ignored", "ignored"]);
  });

  it("isn't void through an advisory that a patch mends", async () => {
    const index = await indexed(unzip(first), unzip(second));
    const patched = component("unzip-6.0", { fixes: [second], patches: [`${second}.patch`] });
    expect(
      judged(index, patched, rules(`["unzip"]\ncve = "${first}"`))
        .map(({ verdict }) => verdict)
        .sort(),
    ).toEqual(["ignored", "patched"]);
  });

  it("may name a derivation as it is called, interpreter and environment included", async () => {
    const index = await indexed(nvd(first, [{ cpe: "a:python:python" }]));
    for (const header of ["python-2.7.17-env", "python", "python3-2.7.17"])
      expect([
        header,
        judged(index, "python-2.7.17-env", rules(`["${header}"]`))[0]?.verdict,
      ]).toEqual([header, "ignored"]);
  });

  it("splits a header before the first dash that a digit follows", () => {
    expect(rules(`["x-2-thing-1.0"]`)[0]?.about).toMatchObject({
      name: "x",
      version: "2-thing-1.0",
    });
    expect(rules(`[systemd-239]`)[0]?.about).toMatchObject({ name: "systemd", version: "239" });
  });
});

describe("a file of rules", () => {
  it.for([
    [`["a"]\ncve = [ "CVE-2021-1" "CVE-2021-2" ]`, /line 2 is no TOML: /],
    [
      `[libxslt-2.0.1]\ncomment = "x"`,
      /the header \[libxslt-2\.0\] needs quotes: \["libxslt-2\.0"\]/,
    ],
    [`["*"]`, /\["\*"\] needs a list cve/],
    [`["a"]\nuntil = "soon"`, /until of \["a"\] is no day such as 2027-01-31/],
    [`["a"]\nuntil = "2026-02-30"`, /until of \["a"\] is no day/],
    [`["a"]\ncve = 3`, /cve of \["a"\] is no text, and no list of texts/],
    [`cve = "CVE-2021-1"`, /cve stands outside of a table/],
    ["\u0000", /line 1 is no TOML/],
    [`["a"]\n["a"]`, /line 2 is no TOML/],
  ] as const)("%j is refused", async ([text, message]) => {
    expect(await refusal(() => rules(text))).toBe("rules/invalid");
    expect(() => rules(text)).toThrow(message);
  });

  it("warns of a key that means nothing, and takes `status` as vulnix does", () => {
    const { warnings } = readVulnixRules("rules.toml", `["a"]\nstatus = "x"\nseverity = "low"`);
    expect(warnings).toEqual([
      `rules "rules.toml": ["a"] has a key severity, which means nothing here`,
    ]);
  });

  it("of prototype names is about packages of those names", () => {
    expect(rules(`["__proto__"]\n["constructor"]`).map(({ about }) => about.name)).toEqual([
      "__proto__",
      "constructor",
    ]);
  });
});

describe.skipIf(withoutData !== undefined)(
  `whitelists from production${withoutData === undefined ? "" : `: ${withoutData}`}`,
  () => {
    const read = (name: string) => {
      const path = join(process.env["SEALAUNCH_TEST_DATA"] ?? "", "whitelist", name);
      return readVulnixRules(name, readFileSync(path, "utf8"));
    };

    it.for([
      ["fcio-whitelist.toml", 93],
      ["vulnix-fixture.toml", 6],
    ] as const)("%s is read as it is: %i rules", ([name, count]) => {
      const { rules: found, warnings } = read(name);
      expect(found.length).toBe(count);
      expect(warnings).toEqual([]);
    });

    it("in each form are understood, and what isn't valid TOML is refused by line", () => {
      const { rules: found } = read("own-examples.toml");
      expect(found.find(({ about }) => about.name === "binutils")?.until).toBe("2027-01-01");
      expect(found.find(({ about }) => about.name === "sqlite")?.advisories).toEqual(
        new Set(["CVE-2018-8740"]),
      );
      expect(() => read("mohe2015-devos.toml")).toThrow(/line 18 is no TOML/);
    });
  },
);
