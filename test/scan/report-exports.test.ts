import Ajv from "ajv";
import * as z from "zod/mini";
import { describe, expect, it } from "vitest";
import { cycloneDxOf } from "../../src/scan/report/cyclonedx.ts";
import { openVexOf } from "../../src/scan/report/openvex.ts";
import { readOpenVex } from "../../src/scan/rules/openvex.ts";
import { packageUrl } from "../../src/scan/advisories/purl.ts";
import { reportId } from "../../src/scan/report/names.ts";
import type { ScanReport } from "../../src/scan/report/report.ts";
import { sarifOf } from "../../src/scan/report/sarif.ts";
import { createCycloneDxCheck } from "../fixtures/cyclonedx-schema.ts";
import { largeReport } from "../fixtures/large-report.ts";
import { finding, hardReport, scanReport, unknown } from "../fixtures/scan-report.ts";
import { textOfFile } from "../source.ts";

const json = (text: string): object => z.record(z.string(), z.unknown()).parse(JSON.parse(text));

/** What a validator says that a value lacks; nothing if it is valid. */
function faultsOf(validate: Ajv.ValidateFunction, value: unknown): readonly Ajv.ErrorObject[] {
  void validate(value);
  return validate.errors ?? [];
}

const reports: readonly (readonly [string, ScanReport])[] = [
  ["with everything that is hard", hardReport()],
  ["with nothing in it", scanReport([], { nodes: [] })],
  ["of 60 nodes with 90 findings", largeReport(60, 90)],
];

describe("SARIF 2.1.0", () => {
  const ajv = new Ajv({ allErrors: true });
  const schema = json(textOfFile("test/scan/schemas/sarif-2.1.0.schema.json"));
  // It names a later draft than the one that it was written for, and has nothing of it.
  const validate = ajv.compile({ ...schema, $schema: undefined });

  it.for(reports)("of a report %s is valid", ([, report]) => {
    const log: unknown = JSON.parse(JSON.stringify(sarifOf(report, "0.1.0")));
    expect(faultsOf(validate, log)).toEqual([]);
  });

  it("fails only for what is vulnerable, and says that what is ignored is suppressed", () => {
    const results = sarifOf(hardReport(), "0.1.0").runs[0]?.results ?? [];
    expect(
      results.map(({ ruleId, kind, level, suppressions }) => [
        ruleId,
        kind,
        level,
        suppressions?.length,
      ]),
    ).toEqual([
      ["CVE-2022-3602", "fail", "error", undefined],
      ["CVE-2021-0001", "review", "none", undefined],
      ["CVE-2019-11411", "open", "none", undefined],
      ["CVE-2020-1111", "fail", "note", 1],
      ["CVE-2023-0286", "pass", "none", undefined],
    ]);
  });

  it("has a code flow for each way from what keeps a package down to it", () => {
    const [result] = sarifOf(hardReport(), "0.1.0").runs[0]?.results ?? [];
    const flows = result?.codeFlows?.map(({ threadFlows }) =>
      threadFlows[0]?.locations.map(
        ({ location }) => location?.physicalLocation?.artifactLocation?.uri,
      ),
    );
    const at = (letter: string, name: string): string =>
      `file:///nix/store/${letter.repeat(32)}-${name}`;
    const [server, openssl] = [at("b", "dns-server-1.4"), at("a", "openssl-3.0.7")];
    expect(flows).toEqual([
      [server, openssl],
      [at("c", "python3-3.11.2"), server, openssl],
    ]);
  });

  it("isn't successful while a node or a cache is unknown, and names it", () => {
    const invocation = sarifOf(hardReport(), "0.1.0").runs[0]?.invocations?.[0];
    expect(invocation?.executionSuccessful).toBe(false);
    expect(invocation?.toolExecutionNotifications?.map(({ message }) => message.text)).toEqual([
      "nothing is known of n4: has put no inventory there",
      "what publishers say in https://cache.example.org is unknown: nobody listens there",
    ]);
    expect(sarifOf(scanReport(), "0.1.0").runs[0]?.invocations?.[0]?.executionSuccessful).toBe(
      true,
    );
  });
});

describe("CycloneDX 1.6", () => {
  const check = createCycloneDxCheck();

  const Bom = z.object({
    specVersion: z.literal("1.6"),
    serialNumber: z.string(),
    metadata: z.object({
      properties: z.optional(z.array(z.object({ name: z.string(), value: z.string() }))),
    }),
    components: z.array(z.object({ "bom-ref": z.string(), name: z.string(), purl: z.string() })),
    // None at all where there is none.
    vulnerabilities: z._default(
      z.array(
        z.object({
          id: z.string(),
          analysis: z.object({ state: z.string(), detail: z.string() }),
          affects: z.array(z.object({ ref: z.string() })),
        }),
      ),
      [],
    ),
  });

  it.for(reports)("of a report %s is valid", ([, report]) => {
    expect(check(JSON.parse(cycloneDxOf(report, "0.1.0")))).toEqual([]);
  });

  it("says of each vulnerability what the verdict is, as VEX", () => {
    const { vulnerabilities } = Bom.parse(JSON.parse(cycloneDxOf(hardReport(), "0.1.0")));
    expect(
      Object.fromEntries(vulnerabilities.map(({ id, analysis }) => [id, analysis.state])),
    ).toEqual({
      "CVE-2022-3602": "exploitable",
      "CVE-2023-0286": "resolved",
      "CVE-2021-0001": "in_triage",
      "CVE-2020-1111": "in_triage",
      "CVE-2019-11411": "in_triage",
    });
    const ignored = vulnerabilities.find(({ id }) => id === "CVE-2020-1111");
    expect(ignored?.analysis.detail).toBe("ignored: by ann until 2027-01-01: not reachable");
  });

  it("names patched and unpatched paths of one version apart", () => {
    const { components, vulnerabilities } = Bom.parse(
      JSON.parse(cycloneDxOf(hardReport(), "0.1.0")),
    );
    const openssl = components.filter(({ name }) => name === "openssl");
    expect(openssl.map((component) => component["bom-ref"].slice(11, 13))).toEqual(["aa", "dd"]);
    expect(vulnerabilities.find(({ id }) => id === "CVE-2023-0286")?.affects).toEqual([
      { ref: openssl[1]?.["bom-ref"] },
    ]);
  });

  it("names every node that nothing is known of", () => {
    const nodes = [unknown("n1", "refuses")];
    const { metadata } = Bom.parse(JSON.parse(cycloneDxOf(scanReport([], { nodes }), "0.1.0")));
    expect(metadata.properties).toEqual([{ name: "sealaunch:unknown-node", value: "n1: refuses" }]);
  });

  it("is the same for the same report", () => {
    expect(cycloneDxOf(hardReport(), "0.1.0")).toBe(cycloneDxOf(hardReport(), "0.1.0"));
    expect(reportId(hardReport())).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u,
    );
    expect(reportId(hardReport())).not.toBe(reportId(scanReport()));
  });
});

describe("OpenVEX 0.2.0", () => {
  // No package has its schema, so this is what the specification asks for (§ "The Statement").
  const iri = z.string().check(z.regex(/^(?:pkg:generic\/|urn:uuid:)[!-~]+$/u));
  const product = z.strictObject({ "@id": iri, identifiers: z.strictObject({ purl: iri }) });
  const statement = {
    vulnerability: z.strictObject({
      name: z.string().check(z.minLength(1)),
      aliases: z.optional(z.array(z.string()).check(z.minLength(1))),
    }),
    products: z.array(product).check(z.minLength(1)),
    status_notes: z.string(),
  };
  const Document = z.strictObject({
    "@context": z.literal("https://openvex.dev/ns/v0.2.0"),
    "@id": iri,
    author: z.string().check(z.minLength(1)),
    timestamp: z.iso.datetime(),
    version: z.int().check(z.minimum(1)),
    tooling: z.string(),
    statements: z.array(
      z.discriminatedUnion("status", [
        z.strictObject({
          ...statement,
          status: z.literal("affected"),
          action_statement: z.string().check(z.minLength(1)),
        }),
        z.strictObject({ ...statement, status: z.enum(["fixed", "under_investigation"]) }),
      ]),
    ),
  });

  it.for(reports)("of a report %s is as the specification asks", ([, report]) => {
    const document: unknown = JSON.parse(JSON.stringify(openVexOf(report, "ann", "0.1.0")));
    expect(Document.safeParse(document).error).toBeUndefined();
  });

  it("claims of nothing that is ignored, possible or unknown that it does no harm", () => {
    const { statements } = openVexOf(hardReport(), "ann", "0.1.0");
    expect(statements.map(({ vulnerability, status }) => [vulnerability.name, status])).toEqual([
      ["CVE-2022-3602", "affected"],
      ["CVE-2021-0001", "under_investigation"],
      ["CVE-2019-11411", "under_investigation"],
      ["CVE-2020-1111", "under_investigation"],
      ["CVE-2023-0286", "fixed"],
    ]);
    expect(statements[0]?.action_statement).toBe(
      "update to 3.0.8 or later, and restart what uses it",
    );
  });
});

describe("what was written as VEX", () => {
  it("is read back as what was said, of those paths alone", () => {
    const written: unknown = JSON.parse(JSON.stringify(openVexOf(hardReport(), "ann", "0.1.0")));
    const { rules, warnings } = readOpenVex("ours.json", written);
    expect(warnings).toEqual([]);
    expect(
      rules.map(({ about, says, advisories }) => [about.path, says, [...(advisories ?? [])]]),
    ).toEqual([
      [
        `/nix/store/${"d".repeat(32)}-openssl-3.0.7`,
        "patched",
        ["CVE-2023-0286", "GHSA-8RWR-X37P-MX23"],
      ],
    ]);
  });
});

describe("the package URL of a finding", () => {
  it("is of one store path, with every sign that could end a part of it escaped", () => {
    const odd = finding({ name: "a/b?c#d@e", version: "1+2%3" });
    expect(packageUrl(odd, "/nix/store/hash-a?b=c+d")).toBe(
      "pkg:generic/a%2Fb%3Fc%23d%40e@1+2%253?store_path=hash-a%3Fb%3Dc%2Bd",
    );
  });
});
