import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { componentOf } from "../../src/scan/component.ts";
import { derivationFacts, parseDerivation } from "../../src/scan/store/derivation.ts";
import { expectLinear } from "./growth.ts";
import { advisoryData, withoutData } from "./judging.ts";

const hash = "2q5wk1k1j3n4ls0d8ay5n1ffbjz0fcrm";
const made = (environment: readonly (readonly [string, string])[], inputs = "[]"): string => {
  const pairs = environment.map(
    ([name, value]) => `(${JSON.stringify(name)},${JSON.stringify(value)})`,
  );
  return `Derive([("out","/nix/store/${hash}-x","","")],${inputs},[],"x86_64-linux","/bin/sh",["-e"],[${pairs.join(",")}])`;
};
const factsOf = (environment: readonly (readonly [string, string])[]) =>
  derivationFacts(`/nix/store/${hash}-x.drv`, parseDerivation(made(environment))!);

describe("a derivation", () => {
  it.for([
    [[["name", "openssl-3.0.7"]], "openssl", "3.0.7"],
    [
      [
        ["name", "openssl-3.0.7"],
        ["pname", "openssl"],
        ["version", "3.0.7"],
      ],
      "openssl",
      "3.0.7",
    ],
    [
      [
        ["name", "xercesc"],
        ["version", "3.2.3"],
      ],
      "xercesc",
      "3.2.3",
    ],
    [
      [
        ["name", "python3.11-requests-2.31.0"],
        ["pname", "requests"],
        ["version", "2.31.0"],
      ],
      "python3.11-requests",
      "2.31.0",
    ],
    [
      [
        ["name", "webdav-server-rs-unstable-2021-08-16"],
        ["version", "unstable-2021-08-16"],
      ],
      "webdav-server-rs",
      "unstable-2021-08-16",
    ],
    [[["name", "hook"]], "hook", undefined],
    [
      [
        ["name", "hook"],
        ["version", ""],
      ],
      "hook",
      undefined,
    ],
  ] as const)("%j is %s %s", ([environment, name, version]) => {
    expect(factsOf(environment)).toMatchObject({ name, version });
  });

  it("says which patches it has, and what they mend", () => {
    const patches = [
      `/nix/store/${hash}-fix-build.patch`,
      `/nix/store/${hash}-cve-2016-3189.patch`,
    ].join(" ");
    expect(
      factsOf([
        ["name", "bzip2-1.0.6"],
        ["patches", `${patches} /`],
      ]),
    ).toMatchObject({
      patches: ["fix-build.patch", "cve-2016-3189.patch", "/"],
      fixes: ["CVE-2016-3189"],
    });
  });

  it("with structured attributes says the same", () => {
    const json = JSON.stringify({
      name: "lua-5.2.4",
      version: "5.2.4",
      patches: [`/nix/store/${hash}-CVE-2014-5461.patch`],
      nested: { a: 1 },
    });
    expect(factsOf([["__json", json]])).toMatchObject({
      name: "lua",
      version: "5.2.4",
      fixes: ["CVE-2014-5461"],
    });
  });

  it("has the URLs of the sources that it is built from", () => {
    const source = parseDerivation(
      made([
        ["name", "zlib-0.6.3.0.tar.gz"],
        ["urls", "mirror://hackage/zlib-0.6.3.0.tar.gz https://example.org/z"],
        ["out", "x"],
      ]),
    )!;
    const path = `/nix/store/${hash}-source.drv`;
    const derivation = parseDerivation(
      made(
        [
          ["name", "zlib-0.6.3.0"],
          ["src", `/nix/store/${hash}-x`],
        ],
        `[("${path}",["out"])]`,
      ),
    )!;
    const facts = derivationFacts("/nix/store/x.drv", derivation, (one) =>
      one === path ? source : undefined,
    );
    expect(facts.sources).toEqual([
      "mirror://hackage/zlib-0.6.3.0.tar.gz",
      "https://example.org/z",
    ]);
    expect(componentOf(`/nix/store/${hash}-zlib-0.6.3.0`, facts)?.ecosystem).toBe("hackage");
  });

  it.for([
    "",
    "Derive",
    "Derive(",
    "Derive([)",
    'Derive("',
    'Derive("\\',
    "Derive([(]))",
    "Derive([])trailing",
    'DrvWithVersion("xp-dyn-drv",[])',
    `Derive(${"[".repeat(100_000)}`,
    "__import__('os').system('touch /tmp/evil')",
  ])("isn't %s", (text) => {
    expect(parseDerivation(text)).toBeUndefined();
  });

  it("of escapes alone is read in its length's time, whole or cut short", async () => {
    await expectLinear(
      50_000,
      (size) => [`Derive("${"\\n".repeat(size)}")`, made([["name", "x\n".repeat(size)]])] as const,
      ([short, whole]) => {
        expect(parseDerivation(short)).toBeUndefined();
        expect(parseDerivation(whole)).toBeDefined();
      },
    );
  });
});

describe.skipIf(withoutData !== undefined)(
  `derivations of nixpkgs${withoutData === undefined ? "" : `: ${withoutData}`}`,
  () => {
    it.for([
      ["audiofile-0.3.6", "audiofile", "0.3.6", 14],
      ["bzip2-1.0.6.0.1", "bzip2", "1.0.6.0.1", 1],
      ["cpio-2.12", "cpio", "2.12", 2],
      ["cyrus-sasl-2.5.10", "cyrus-sasl", "2.5.10", 0],
      ["structured-attrs-1", "structured-attrs", "1", 0],
      ["transmission-1.91", "transmission", "1.91", 0],
      ["unzip-6.0", "unzip", "6.0", 8],
      ["xercesc-3.2.3", "xercesc", "3.2.3", 0],
    ] as const)("%s is %s %s with patches for %i CVEs", ([file, name, version, count]) => {
      const text = readFileSync(join(advisoryData ?? "", "nvd/drv", `${file}.drv`), "utf8");
      const facts = derivationFacts(`/nix/store/${hash}-${file}.drv`, parseDerivation(text)!);
      expect(facts).toMatchObject({ name, version });
      expect(facts.fixes.length).toBe(count);
      expect(componentOf(`/nix/store/${hash}-${file}`, facts)).toMatchObject({
        name,
        version,
        from: "derivation",
      });
    });
  },
);
