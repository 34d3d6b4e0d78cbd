import type { Command } from "commander";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { guidanceOf } from "../src/cli/guidance.ts";
import { createProgram } from "../src/cli/program.ts";
import { firstSteps } from "../src/cli/first-steps.ts";
import { nvdFeed, openssl } from "./fixtures/advisories.ts";
import { putInventory } from "./fixtures/inventories.ts";
import { Workplace } from "./fixtures/worked-example.ts";
import { dumpOf, unit } from "./scan/stores.ts";

/** Every command that does something, with the words that name it. */
function commandsBelow(command: Command, words: string): [words: string, command: Command][] {
  const named = words === "" ? command.name() : `${words} ${command.name()}`;
  return command.commands.length === 0
    ? [[named, command]]
    : command.commands.flatMap((sub) => commandsBelow(sub, named));
}
const commands = commandsBelow(createProgram(), "");

const oneLine = (text: string): string => text.replace(/\s+/gu, " ");

const examples = commands
  .map(([, command]) => guidanceOf(command))
  .flatMap((guidance) =>
    guidance?.needsSystemd === true || guidance?.needsStore === true
      ? []
      : (guidance?.examples ?? []),
  )
  // Nothing is asked of the network: test/commands/scan-update.test.ts does it beside a server of its own.
  .filter((example) => !/^sealaunch (?:run |scan --update$)/u.test(example));

let workplace: Workplace;
beforeAll(() => {
  workplace = Workplace.followed();
});
afterAll(() => {
  workplace[Symbol.dispose]();
});

/** The worked example's cluster, as it is in the end, for one example alone. */
async function copyFor(example: string, number: number): Promise<string> {
  const directory = join(workplace.top, "copies", String(number));
  cpSync(workplace.directory, directory, { recursive: true });
  if (example.includes("dns.json")) {
    const program = `/nix/store/${"0".repeat(32)}-dns/bin/dns`;
    const service = { version: 1, name: "dns", program, bundles: ["dns@1+"] };
    writeFileSync(join(directory, "dns.json"), JSON.stringify(service));
  }
  if (example.includes("n1/node.json")) {
    // Of this copy, not of the cluster that others are copied from.
    const file = join(directory, "n1/node.json");
    const node = JSON.parse(readFileSync(file, "utf8")) as object;
    const own = { source: "dir:..", identity: join(directory, "n1/identity") };
    writeFileSync(file, JSON.stringify({ ...node, ...own }));
  }
  if (example.includes("--wrap dns.service"))
    writeFileSync(join(directory, "dns.service"), "[Service]\nExecStart=/usr/bin/dns\n");
  // Who is to be removed has to be there.
  const [, role] = /roster remove-(manager web|root)/u.exec(example) ?? [];
  if (role !== undefined) workplace.run(`sealaunch roster add-${role} bea.pub --yes`, directory);
  if (example.startsWith("sealaunch scan ")) await prepareScan(directory);
  // A cluster begins where there is none.
  if (example.startsWith("sealaunch init")) {
    for (const name of ["sealaunch.json", "keys"])
      rmSync(join(directory, name), { recursive: true });
  }
  return directory;
}

/** Both nodes say what they have; there are advisories of today, and something to be ignored. */
async function prepareScan(directory: string): Promise<void> {
  const store = { "dns-1.0": ["openssl-3.0.7"], "openssl-3.0.7": [] };
  const uses = { units: [unit("dns.service", { names: ["dns-1.0"], runs: ["dns-1.0"] })] };
  for (const node of ["n1", "n2"])
    await putInventory(directory, join(directory, `${node}_host_key`), { node, store, uses });
  writeFileSync(join(directory, "n1.dump"), dumpOf(store));
  writeFileSync(join(directory, "nvdcve-2.0-modified.json"), nvdFeed([openssl("CVE-2023-0286")]));
  // A cache in which nobody has published yet.
  mkdirSync(join(directory, "cache"));
  writeFileSync(join(directory, "cache/nix-cache-info"), "StoreDir: /nix/store\n");
  writeFileSync(join(directory, "cache.public"), `cache.example.org-1:${"A".repeat(43)}=\n`);
  writeFileSync(join(directory, "ignored.toml"), '["openssl"]\ncve = ["CVE-2023-0286"]\n');
}

describe("--help", () => {
  it.for(commands)(
    "of %s says what it does, where it runs and what it needs",
    ([words, command]) => {
      const { status, stdout, stderr } = workplace.run(`${words} --help`);
      expect(stderr).toBe("");
      expect(status).toBe(0);
      expect(oneLine(stdout)).toContain(oneLine(command.description()));
      expect(stdout).toMatch(/\nExamples:\n {2}sealaunch /u);
      expect(stdout).toMatch(/\nRuns on: .+\nNeeds: .+\n$/u);
      for (const example of guidanceOf(command)?.examples ?? []) {
        expect(`${example} `.startsWith(`${words} `)).toBe(true);
        expect(stdout).toContain(`\n  ${example}\n`);
      }
    },
  );

  it.for(examples.map((example, number) => ({ example, number })))(
    "has an example that works: $example",
    async ({ example, number }) => {
      const directory = await copyFor(example, number);
      // Nobody is there to edit.
      const command = `EDITOR=true ${example.replace("/srv/cache", `${directory}/cache`)}`;
      const { status, stderr } = workplace.run(command, directory);
      expect(stderr).toBe("");
      expect(status).toBe(0);
    },
  );

  it("is broken into lines for the terminal that it is read on, and otherwise after sentences", () => {
    const lines = commands.flatMap(([, command]) => command.description().split("\n"));
    expect(lines.filter((line) => !line.endsWith("."))).toEqual([]);
  });

  it("alone teaches the first five minutes, by commands that there are", () => {
    expect(workplace.run("sealaunch").stdout).toBe(firstSteps);
    const taught = [...firstSteps.matchAll(/^ {2}(sealaunch .+?)(?= {2,}|$)/gmu)].map(
      ([, line = ""]) => line,
    );
    expect(taught.length).toBeGreaterThan(6);
    for (const line of taught) {
      expect(commands.filter(([words]) => line.startsWith(words))).toHaveLength(1);
    }
  });
});

describe("a command line that is wrong", () => {
  it.for([
    ["an unknown command", "sealaunch rooster show"],
    ["an unknown option", "sealaunch verify --identify x"],
    ["a missing argument", "sealaunch roster add-pool"],
    ["a missing option", "sealaunch roster add-node n1"],
    ["a family without its verb", "sealaunch roster"],
    ["a threshold that is no number", "sealaunch init --threshold few"],
  ])("is refused in two lines: %s", ([, command = ""]) => {
    const { status, stdout, stderr } = workplace.run(command);
    expect(stderr).toMatch(/^error: [^\n]+\nhint: [^\n]+\n$/u);
    expect(status).toBe(64);
    expect(stdout).toBe("");
  });
});
