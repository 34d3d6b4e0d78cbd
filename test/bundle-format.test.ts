import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readRoster, requireStatement } from "../src/cluster/cluster.ts";
import { openCredentials } from "../src/cluster/opening.ts";
import { noMarks } from "../src/cluster/marks.ts";
import { noMemory } from "../src/cluster/memory.ts";
import { textOf } from "../src/crypto/bytes.ts";
import { parseIdentityFile } from "../src/crypto/identity.ts";
import { failures } from "../src/failure.ts";
import { decodeRepositoryConfiguration } from "../src/formats/configuration.ts";
import { openDirectory } from "../src/sources/directory.ts";
import { maxEntrySize } from "../src/formats/entry.ts";
import { maxCardSize } from "../src/formats/records/card.ts";
import { decodeInventory, encodeInventory, maxPartSize } from "../src/formats/records/inventory.ts";
import {
  decodeReport,
  encodeReport,
  maxReportSize,
  type Report,
} from "../src/formats/records/report.ts";
import { maxMembersSize, maxPoolSize } from "../src/formats/records/pool.ts";
import { maxRosterSize } from "../src/formats/records/roster.ts";
import { maxStatementSize } from "../src/formats/records/statement.ts";
import { maxHeaderSize } from "../src/formats/age/profile.ts";
import { maxSignatureSize } from "../src/formats/sshsig/signature.ts";
import { appendix } from "./example/appendix.ts";

const page = readFileSync(join(import.meta.dirname, "../docs/bundle-format.md"), "utf8");

function section(number: string): string {
  const from = page.indexOf(`## ${number} `);
  if (from < 0) throw new Error(`the page has no section ${number}`);
  return page.slice(from, page.indexOf("\n#", from));
}

/** The first column of a section's tables. */
function fieldsOf(number: string): string[] {
  return [...section(number).matchAll(/^\| `(\w+)`/gmu)].map((match) => match[1] ?? "");
}

function exampleOf(path: string): Record<string, unknown> {
  const text = readFileSync(join(import.meta.dirname, "example", path), "utf8");
  return JSON.parse(text) as Record<string, unknown>;
}

describe("docs/bundle-format.md", () => {
  it.each([
    ["7.1", "keys/nodes/n1/card.json"],
    ["7.2", "keys/roster/1/roster.json"],
    ["7.3", "keys/pools/web/1/pool.json"],
    ["7.4", "keys/pools/web/1/members.json"],
  ])("lists in §%s the fields of a record, in its order", (number, path) => {
    expect(fieldsOf(number)).toEqual(Object.keys(exampleOf(path)));
  });

  it("lists in §8.1 the fields of a statement and of its credentials, in their order", () => {
    const statement = exampleOf("secrets/bundles/dns/cloudflare/0.1/statement.json");
    const [credential] = statement["credentials"] as object[];
    expect(fieldsOf("8.1")).toEqual([...Object.keys(statement), ...Object.keys(credential ?? {})]);
  });

  it("lists in §7.5 the fields of an inventory, in its order", () => {
    const packed = { hash: "0".repeat(64), size: 0, parts: [] };
    const bytes = encodeInventory({
      type: "inventory",
      version: 1,
      cluster: "0".repeat(32),
      node: "n1",
      taken: "2026-11-25T12:00:00Z",
      paths: 0,
      graph: packed,
      uses: packed,
    });
    const record = decodeInventory(bytes);
    expect(fieldsOf("7.5")).toEqual(Object.keys(record));
    for (const field of Object.keys(record.graph)) expect(section("7.5")).toContain(`\`${field}\``);
    expect(section("7.5")).toContain(`at most ${maxPartSize.toLocaleString("en-GB")} bytes`);
  });

  it("lists in §7.6 the fields of a report, of its services and of their bundles, in their order", () => {
    const report: Report = {
      type: "report",
      version: 1,
      cluster: "0".repeat(32),
      node: "n1",
      issued: "2026-11-25T12:00:00Z",
      services: [
        {
          unit: "dns.service",
          invocation: "0".repeat(32),
          activeState: "active",
          since: "2026-11-25T11:00:00Z",
          wants: ["dns"],
          bundles: [
            {
              name: "dns",
              series: 0,
              generation: 1,
              statement: "0".repeat(64),
              credentials: ["CF_TOKEN"],
            },
          ],
          refusal: { code: "bundle/absent", message: "-", at: "2026-11-25T11:00:00Z" },
        },
      ],
    };
    const record = decodeReport(encodeReport(report));
    expect(record).toEqual(report);
    expect(fieldsOf("7.6")).toEqual(Object.keys(record));
    const [service] = record.services;
    const nested = [service, service?.bundles[0], service?.refusal].map((one) =>
      Object.keys(one ?? {}).map((field) => `\`${field}\``),
    );
    const text = section("7.6").replaceAll("\n", " ");
    expect(text).toContain(nested[0]?.join(", "));
    expect(text).toContain(nested[1]?.slice(0, 3).join(", "));
    for (const field of nested.flat()) expect(text).toContain(field);
    expect(text).toContain(`At most ${maxReportSize.toLocaleString("en-GB")} bytes`);
  });

  it("names no failure code that doesn't exist", () => {
    const rooms = new Set(Object.keys(failures).map((code) => code.split("/")[0]));
    const named = [...page.matchAll(/`([a-z-]+)\/([a-z-]+)`/gu)]
      .filter((match) => rooms.has(match[1]))
      .map((match) => `${match[1] ?? ""}/${match[2] ?? ""}`);
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((code) => !(code in failures))).toEqual([]);
  });

  it("gives the sizes that readers enforce", () => {
    const number = (size: number): string => size.toLocaleString("en-GB");
    expect(section("2.3").replaceAll("\n", " ")).toContain(
      `card ${String(maxCardSize)}, roster and statement ${number(maxRosterSize)}, pool file ${number(maxPoolSize)}, member list ${number(maxMembersSize)}.`,
    );
    expect(maxStatementSize).toBe(maxRosterSize);
    expect(section("4.")).toContain(`a header of at most ${String(maxHeaderSize)} bytes`);
    expect(section("5.")).toContain(`at most ${String(maxEntrySize)} bytes`);
    expect(section("6.")).toContain(`a file over ${String(maxSignatureSize)} bytes`);
  });

  it.each(["node", "operator"])(
    "has an example that a %s's identity opens for ever",
    async (who) => {
      const folder = join(import.meta.dirname, "example");
      const configuration = readFileSync(join(folder, "sealaunch.json"));
      const cluster = {
        trusted: decodeRepositoryConfiguration(configuration, "sealaunch.json"),
        source: openDirectory(".", folder),
        marks: noMarks,
        memory: noMemory,
        now: new Date("2026-11-26T00:00:00Z"),
      };
      const { record: roster } = await readRoster(cluster);
      const statement = await requireStatement(cluster, roster, "dns/cloudflare");
      const identity = parseIdentityFile(readFileSync(join(folder, `${who}.identity`)), who);
      const opened = await openCredentials(cluster, roster, statement, [identity]);
      expect(opened.map(({ name, value }) => `${name}=${textOf(value) ?? ""}`)).toEqual([
        "CF_TOKEN=correct horse battery staple",
      ]);
    },
  );

  it("shows in appendix B what the example's files hold", () => {
    expect(page.trimEnd().endsWith(appendix())).toBe(true);
  });
});
