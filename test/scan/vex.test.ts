import { describe, expect, it } from "vitest";
import type { Component } from "../../src/scan/component.ts";
import { readRules } from "../../src/scan/rules/rules.ts";
import { refusal } from "../fixtures/refusal.ts";
import { component, indexed, judged, nvd } from "./judging.ts";

const id = "CVE-2023-0286";
const openssl = component("openssl-3.0.7");

async function said(
  document: unknown,
  of: string | Component = openssl,
  advisory = id,
): Promise<readonly string[]> {
  const index = await indexed(
    nvd(advisory, [{ cpe: "a:openssl:openssl" }, { cpe: "a:curl:curl" }]),
  );
  const { rules } = readRules("vex.json", JSON.stringify(document));
  return judged(index, of, rules).map(({ verdict, reason }) => `${verdict}: ${reason}`);
}

const open = ["vulnerable: every version"];

describe("OpenVEX", () => {
  const statement = (more: object = {}) => ({
    vulnerability: { name: id },
    products: [{ "@id": "pkg:generic/openssl@3.0.7" }],
    status: "not_affected",
    justification: "vulnerable_code_not_in_execute_path",
    impact_statement: "no CRLs are read",
    ...more,
  });
  const document = (...statements: readonly object[]) => ({
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "https://example.org/vex/1",
    author: "dns-team",
    timestamp: "2026-01-01T00:00:00Z",
    version: 1,
    statements,
  });

  it("that says not affected has it ignored, and says by whom and why", async () => {
    expect(await said(document(statement()))).toEqual([
      "ignored: by vex.json (dns-team): vulnerable_code_not_in_execute_path: no CRLs are read (else: every version)",
    ]);
  });

  it("that says fixed has it patched", async () => {
    expect((await said(document(statement({ status: "fixed" }))))[0]).toContain(
      "patched: by vex.json",
    );
  });

  it.for([
    ["affected", { status: "affected" }],
    ["under investigation", { status: "under_investigation" }],
    ["something unheard of", { status: "constructor" }],
    ["not affected of another vulnerability", { vulnerability: { name: "CVE-2023-0001" } }],
    ["not affected of another version", { products: [{ "@id": "pkg:generic/openssl@3.0.8" }] }],
    ["not affected of another package", { products: [{ "@id": "pkg:generic/libressl@3.0.7" }] }],
    ["not affected of another language's", { products: [{ "@id": "pkg:pypi/openssl@3.0.7" }] }],
  ] as const)("that says %s changes nothing", async ([, more]) => {
    expect(await said(document(statement(more)))).toEqual(open);
  });

  it.for([
    [{ products: [{ "@id": openssl.path }] }],
    [{ products: [{ "@id": "urn:x", identifiers: { purl: "pkg:nix/openssl@3.0.7" } }] }],
    [{ products: [{ "@id": "pkg:generic/openssl" }] }],
    [{ products: ["pkg:generic/openssl@3.0.7"] }],
    [
      {
        products: [
          { "@id": "pkg:oci/image", subcomponents: [{ "@id": "pkg:generic/openssl@3.0.7" }] },
        ],
      },
    ],
    [{ vulnerability: { name: "GHSA-x", aliases: [id] } }],
    [{ vulnerability: id }],
  ] as const)("may name it so: %j", async ([more]) => {
    expect((await said(document(statement(more))))[0]).toMatch(/^ignored: /);
  });

  it("of two statements counts the later, in whichever order they stand", async () => {
    const earlier = statement({ timestamp: "2026-01-01T00:00:00Z" });
    const later = statement({ status: "affected", timestamp: "2026-02-01T00:00:00Z" });
    expect(await said(document(earlier, later))).toEqual(open);
    expect(await said(document(later, earlier))).toEqual(open);
  });

  it("that can't be understood is told of, and changes nothing", () => {
    const { rules, warnings } = readRules(
      "vex.json",
      JSON.stringify(
        document({ status: "fixed" }, { ...statement(), products: [{ "@id": "openssl" }] }),
      ),
    );
    expect(rules).toEqual([]);
    expect(warnings).toEqual([
      `statement 1 of "vex.json" names no vulnerability`,
      `statement 1 of "vex.json" names no product by package URL or store path`,
      `statement 2 of "vex.json" names no product by package URL or store path`,
    ]);
  });
});

describe("CycloneDX", () => {
  const document = (analysis: object, affects: readonly object[] = [{ ref: "one" }]) => ({
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    metadata: { authors: [{ name: "security" }] },
    components: [
      {
        "bom-ref": "one",
        type: "library",
        name: "openssl",
        version: "3.0.7",
        purl: "pkg:generic/openssl@3.0.7",
      },
      { "bom-ref": "two", type: "library", name: "curl", version: "8.0.0" },
    ],
    vulnerabilities: [{ id, analysis, affects }],
  });

  it.for([
    ["not_affected", "ignored"],
    ["false_positive", "ignored"],
    ["resolved", "patched"],
    ["resolved_with_pedigree", "patched"],
  ] as const)("that says %s has it %s", async ([state, verdict]) => {
    const found = await said(
      document({ state, justification: "code_not_reachable", detail: "no CRLs" }),
    );
    expect(found).toEqual([
      `${verdict}: by vex.json (security): code_not_reachable: no CRLs (else: every version)`,
    ]);
  });

  it.for(["exploitable", "in_triage", "toString", undefined])(
    "that says %s changes nothing",
    async (state) => {
      expect(await said(document({ state }))).toEqual(open);
    },
  );

  it("is about what it affects, by reference, by URN, or by name where there is no package URL", async () => {
    const state = { state: "not_affected" };
    expect(await said(document(state, [{ ref: "two" }]))).toEqual(open);
    expect((await said(document(state, [{ ref: "urn:cdx:f08a6ccd/1#one" }])))[0]).toMatch(
      /^ignored/,
    );
    expect((await said(document(state, [{ ref: "pkg:generic/openssl@3.0.7" }])))[0]).toMatch(
      /^ignored/,
    );
    expect((await said(document(state, [{ ref: "two" }]), "curl-8.0.0"))[0]).toMatch(/^ignored/);
    const { warnings } = readRules("vex.json", JSON.stringify(document(state, [{ ref: "nine" }])));
    expect(warnings).toEqual([`${id} in "vex.json" affects "nine", which is no component there`]);
  });
});

describe("rules", () => {
  it.for([
    ["{", /it begins as JSON and is none/],
    [`{"a":1}`, /neither OpenVEX nor CycloneDX/],
    [`{"@context":"https://example.org"}`, /neither OpenVEX nor CycloneDX/],
    [`[["a"`, /line 1 is no TOML/],
  ] as const)("%j are refused", async ([text, message]) => {
    expect(await refusal(() => readRules("vex.json", text))).toBe("rules/invalid");
    expect(() => readRules("vex.json", text)).toThrow(message);
  });

  it("in TOML are vulnix's", () => {
    expect(readRules("rules.toml", `["openssl"]`).rules[0]?.isForListedOnly).toBe(true);
  });
});
