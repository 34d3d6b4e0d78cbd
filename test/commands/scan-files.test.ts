import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import * as z from "zod/mini";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { cleanEnvironment, sealaunchPath } from "../fixtures/program.ts";
import type { Outcome } from "../fixtures/worked-example.ts";
import { dumpOf, storePath } from "../scan/stores.ts";
import { textOfFile } from "../source.ts";

// Far from any cluster: what a machine's store has is enough.
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sealaunch-scan-files-"));
  const store = { "dns-1.0": ["openssl-3.0.7"], "openssl-3.0.7": [], "curl-8.4.0": [] };
  writeFileSync(join(directory, "n1.dump"), dumpOf(store));
  writeFileSync(join(directory, "n2.dump"), dumpOf({ "openssl-3.0.8": [] }));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function run(script: string): Outcome {
  const { status, stdout, stderr } = spawnSync("sh", ["-ec", script], {
    cwd: directory,
    encoding: "utf8",
    env: { ...cleanEnvironment, PATH: `${join(sealaunchPath, "..")}:${cleanEnvironment.PATH}` },
  });
  return { status, stdout, stderr };
}

const wanted = "sealaunch scan --dump n1.dump n2.dump --package 'openssl@<3.0.8'";
const written = (name: string): string => readFileSync(join(directory, name), "utf8");
const Sarif = z.object({
  runs: z.array(
    z.object({ results: z.array(z.object({ message: z.object({ text: z.string() }) })) }),
  ),
});
const Bom = z.object({ components: z.array(z.object({ "bom-ref": z.string() })) });
const Vex = z.object({
  statements: z.array(z.object({ products: z.array(z.object({ "@id": z.string() })) })),
});

describe("what scan writes besides", () => {
  it("is all four files from one scan, each with what was found", () => {
    const files = "--html r.html --sarif r.sarif --cyclonedx r.cdx.json --openvex r.vex.json";
    const shown = expectDone(run(`${wanted} ${files}`));
    expect(shown.split("\n").filter((line) => line.startsWith("wrote "))).toEqual([
      "wrote r.html",
      "wrote r.sarif",
      "wrote r.cdx.json",
      "wrote r.vex.json",
    ]);
    expect(written("r.html")).toContain(storePath("openssl-3.0.7"));
    expect(written("r.html")).not.toContain(storePath("openssl-3.0.8"));
    const [result, ...more] = Sarif.parse(JSON.parse(written("r.sarif"))).runs[0]!.results;
    expect(result?.message.text).toMatch(/^openssl 3\.0\.7: /u);
    expect(more).toEqual([]);
    const { components } = Bom.parse(JSON.parse(written("r.cdx.json")));
    expect(components).toEqual([{ "bom-ref": storePath("openssl-3.0.7") }]);
    const { statements } = Vex.parse(JSON.parse(written("r.vex.json")));
    const id = `store_path=${storePath("openssl-3.0.7").replace("/nix/store/", "")}`;
    expect(statements.flatMap(({ products }) => products)[0]?.["@id"]).toContain(id);
  });

  it("stands there too where --fail-on ends it, and nothing else is printed with --json", () => {
    const outcome = run(`${wanted} --fail-on low --json --html r.html`);
    expect(outcome.status).toBe(77);
    expect(outcome.stdout).toMatch(/^\{\n {2}"version": 1,[^]*\}\n$/u);
    expect(written("r.html")).toContain("Content-Security-Policy");
  });

  it("is refused where no file can be, and leaves nothing behind", () => {
    const outcome = run(`${wanted} --html n1.dump/r.html`);
    expectRefused(outcome, "write/refused");
    expect(outcome.stderr).toContain("n1.dump");
    expect(readdirSync(directory).sort()).toEqual(["n1.dump", "n2.dump"]);
  });
});

describe("what changed since a report", () => {
  it("is told, and nothing where nothing did", () => {
    expectDone(run(`${wanted} --json >old.json`));
    expect(expectDone(run(`${wanted} --since old.json`))).toMatch(/^nothing changed since 2/u);
    writeFileSync(join(directory, "n2.dump"), dumpOf({ "openssl-3.0.6": [] }));
    expect(expectDone(run(`${wanted} --since old.json`))).toMatch(
      /^since 2[^]*\nnew: openssl@<3\.0\.8 in openssl 3\.0\.6 \(vulnerable, /u,
    );
  });

  it("can't be told from another file, nor from one that isn't there", () => {
    expectRefused(run(`${wanted} --since n1.dump`), "scan/report-malformed");
    expectRefused(run(`${wanted} --since none.json`), "file/absent");
  });
});

describe("the commands of docs/scanning.md", () => {
  const section = /^## Reports$(.*?)(?:^## |$(?![^]))/msu.exec(textOfFile("docs/scanning.md"))?.[1];
  const blocks = [...(section ?? "").matchAll(/^```sh\n(.*?)^```$/gmsu)].map(
    ([, text]) => text ?? "",
  );

  it("on reports do what the page says", () => {
    expect(blocks).toHaveLength(1);
    const shown = expectDone(run(blocks.join("")));
    expect(shown).toContain("wrote report.html");
    expect(shown).toContain("nothing changed since ");
    expect(readdirSync(directory)).toEqual(
      expect.arrayContaining(["report.html", "report.json", "report.sarif"]),
    );
  });
});
