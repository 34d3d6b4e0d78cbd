import { execFileSync } from "node:child_process";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Command } from "commander";
import { guidanceOf } from "../../src/cli/guidance.ts";
import { createProgram } from "../../src/cli/program.ts";
import { documentedEngines, type DocumentedEngine } from "../fixtures/documented-engines.ts";
import { DocumentedNomad } from "../fixtures/documented-nomad.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { sealaunch, type Ended } from "../fixtures/program.ts";
import { Workplace } from "../fixtures/worked-example.ts";
import { textOfFile } from "../source.ts";

// The program against servers that do what the schedulers' documentation says.

let workplace: Workplace;
let directory: string;
beforeAll(() => {
  workplace = Workplace.followed();
  // fleet runs instances of the unit.
  expectDone(workplace.run("sealaunch seal dns --unit dns@ --signer bea.pub"));
});
beforeEach(() => {
  directory = workplace.copy();
});
afterAll(() => {
  workplace[Symbol.dispose]();
});

/** Has sealaunch.json say where schedulers are. */
function configure(schedulers: object): void {
  const file = join(directory, "sealaunch.json");
  const configuration = JSON.parse(readFileSync(file, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...configuration, schedulers }));
}

function deploy(change: object, ...options: string[]): Promise<Ended> {
  const program = `/nix/store/${"0".repeat(32)}-dns/bin/dns`;
  const fields = { version: 1, name: "dns", program, bundles: ["dns@1+"], user: "nobody" };
  writeFileSync(join(directory, "dns.json"), JSON.stringify({ ...fields, ...change }));
  const words = ["deploy", "dns.json", "--settle", "1", "--within", "4", ...options];
  return sealaunch(words, { cwd: directory, environment: workplace.environment(directory) });
}

function commandOf(name: string): Command {
  const found = createProgram().commands.find((command) => command.name() === name);
  if (found === undefined) throw new Error(`no command ${name}`);
  return found;
}

interface Told {
  readonly nodes: readonly {
    readonly node: string;
    readonly state: string;
    readonly code?: string;
  }[];
}
const told = (stdout: Buffer): Told["nodes"] => (JSON.parse(stdout.toString()) as Told).nodes;

describe.for(["fleet", "nomad", "marathon"] as const)("a service deployed through %s", (name) => {
  let engine: DocumentedEngine;
  beforeEach(async () => {
    engine = await documentedEngines[name](join(directory, "scheduler.sock"));
    configure({ [name]: { url: engine.url } });
  });
  afterEach(() => engine.api[Symbol.asyncDispose]());

  it("is shown as a difference, runs, is left alone, is replaced, and runs on where its successor doesn't", async () => {
    const shown = expectDone(await deploy({}, "--dry-run"));
    expect(shown.toString()).toMatch(/^\+.*dns/mu);
    expect(shown.toString()).toMatch(/would change/u);
    expect(engine.running()).toEqual([]);

    const first = told(expectDone(await deploy({}, "--json")));
    expect(first).toMatchObject([{ node: engine.machine, state: "runs" }]);
    const [old] = engine.running();
    const again = told(expectDone(await deploy({}, "--json")));
    expect(again).toMatchObject([{ node: engine.machine, state: "ran already" }]);
    expect(engine.running()).toEqual([old]);

    const change = { environment: { LEVEL: "2" } };
    const difference = expectDone(await deploy(change, "--dry-run")).toString();
    expect(difference).toMatch(/^\+.*LEVEL/mu);
    expect(engine.running()).toEqual([old]);
    engine.fail(true);
    const failed = expectRefused(await deploy(change), "scheduler/not-running");
    expect(failed.stderr).toMatch(
      new RegExp(`^error: dns\\.json on ${name}: .* before runs on ${engine.machine}\n`, "u"),
    );
    expect(engine.running()).toHaveLength(1);
    const back = told(expectDone(await deploy({}, "--json")));
    expect(back).toMatchObject([{ state: "ran already" }]);

    engine.fail(false);
    expect(told(expectDone(await deploy(change, "--json")))).toMatchObject([{ state: "runs" }]);
    expect(engine.running()).toHaveLength(1);
    expect(engine.running()).not.toEqual([old]);
  });

  it("is left as it was where the scheduler breaks off, and the error says so", async () => {
    engine.api.insteadOfChanges.push("reset");
    const broken = expectRefused(await deploy({}), "scheduler/unavailable");
    expect(broken.stderr).toContain(`${engine.url} doesn't answer`);
    expect(engine.running()).toEqual([]);
  });

  it("isn't given to it where no node could start it", async () => {
    const refused = await deploy({ bundles: ["dns@999+"] });
    expectRefused(refused, "bundle/below-floor");
    expect(engine.api.requests).toEqual([]);
  });

  it("is refused with options of another way", async () => {
    const node = expectRefused(await deploy({}, "--node", "n1"), "usage/invalid");
    expect(node.stderr).toContain(`--node n1: ${name} picks the nodes`);
    expectRefused(await deploy({}, "--copy-closure"), "usage/invalid");
    expect(engine.api.requests).toEqual([]);
  });
});

describe("what the documents show", () => {
  const page = textOfFile("docs/deploying.md");
  const examples = guidanceOf(commandOf("deploy"))?.examples ?? [];
  const shown = [...page.matchAll(/^```sh\n(.*?)^```$/gmsu)].flatMap(([, block = ""]) =>
    block.trimEnd().split("\n"),
  );
  const through = [...shown, ...examples].filter((line) =>
    /--through (?:nomad|marathon|fleet)/u.test(line),
  );

  it("is a configuration and commands that do what they say", async () => {
    const engine = await documentedEngines.nomad(join(directory, "scheduler.sock"));
    await using api = engine.api;
    const [, json = "{}"] = /^```json\n(\{\n {2}"schedulers".*?)^```$/msu.exec(page) ?? [];
    const { schedulers } = JSON.parse(json) as { schedulers: { nomad: { url: string } } };
    configure(schedulers);
    // No network, and nobody who signs for that name: the file is taken, and what it names is looked for.
    expectRefused(await deploy({}), "configuration/missing");
    configure({
      nomad: { ...schedulers.nomad, url: engine.url, trustedCa: undefined, tokenFile: undefined },
    });
    expect(through).toHaveLength(3);
    for (const line of through) {
      const [, ...words] = line.split(" ");
      const environment = workplace.environment(directory);
      expectDone(await sealaunch(words, { cwd: directory, environment }));
    }
    expect(engine.running()).toHaveLength(1);
    expect(api.requests).toContain("POST /v1/jobs");
  });
});

describe("the way by which a service is deployed", () => {
  it("has to be said where there are several schedulers, and be configured", async () => {
    const url = "https://127.0.0.1:1";
    configure({ nomad: { url }, marathon: { url } });
    const several = expectRefused(await deploy({}), "usage/invalid");
    expect(several.stderr).toMatch(/several schedulers: nomad, marathon\nhint: .*--through nomad/u);
    const absent = expectRefused(await deploy({}, "--through", "fleet"), "usage/invalid");
    expect(absent.stderr).toContain(
      "doesn't say where fleet is, of schedulers it has nomad, marathon",
    );
  });

  it.for([
    ["a token over plain HTTP", { url: "http://h:1", tokenFile: "t" }, "go over https alone"],
    ["an address that is none", { url: "nomad.example.org" }, "is neither https://HOST:PORT"],
    ["an address with a password", { url: "https://a:b@h:1" }, "is neither https://HOST:PORT"],
    ["a user without a password", { url: "https://h:1", user: "u" }, "go together"],
    [
      "both a user and a token",
      { url: "https://h:1", user: "u", passwordFile: "p", tokenFile: "t" },
      "two ways",
    ],
  ] as const)("isn't taken from a configuration with %s", async ([, nomad, said]) => {
    configure({ nomad });
    const refused = expectRefused(await deploy({}), "configuration/invalid");
    expect(refused.stderr).toContain(said);
  });
});

describe("a scheduler that wants to know who asks", () => {
  const token = "c0ffee00-1111-2222-3333-444455556666";
  let nomad: DocumentedNomad;
  let url: string;
  beforeEach(async () => {
    const certificate = ["-keyout", "key.pem", "-out", "ca.pem", "-days", "2"];
    const of = ["-subj", "/CN=nomad", "-addext", "subjectAltName=IP:127.0.0.1"];
    const made = ["req", "-x509", "-newkey", "ed25519", "-nodes", ...certificate, ...of];
    execFileSync("openssl", made, { cwd: directory, stdio: "ignore" });
    const read = (name: string): string => readFileSync(join(directory, name), "utf8");
    [nomad, url] = await DocumentedNomad.create({ cert: read("ca.pem"), key: read("key.pem") });
    nomad.nodes.push({ name: "n1", meta: {} });
    nomad.wants = ["x-nomad-token", token];
    writeFileSync(join(directory, "nomad.token"), `${token}\n`, { mode: 0o600 });
    configure({ nomad: { url, trustedCa: "ca.pem", tokenFile: "nomad.token" } });
  });
  afterEach(() => nomad[Symbol.asyncDispose]());

  it("is shown the token of a file, which is in no message and in no command line", async () => {
    const done = await deploy({}, "--json");
    expect(told(expectDone(done))).toMatchObject([{ node: "n1", state: "runs" }]);
    expect(`${done.stdout.toString()}${done.stderr}`).not.toContain(token);
    writeFileSync(join(directory, "nomad.token"), `${token}0`);
    const refused = expectRefused(await deploy({ arguments: ["-v"] }), "scheduler/refused");
    expect(refused.stderr).toContain("answers 403");
    expect(`${refused.stdout.toString()}${refused.stderr}`).not.toContain(token);
    nomad.instead.push("reset", "reset", "reset", "reset", "reset");
    const lost = expectRefused(await deploy({}), "scheduler/unavailable");
    expect(`${lost.stdout.toString()}${lost.stderr}`).not.toContain(token);
  });

  it("is asked nothing where others may read the token, or it is none", async () => {
    chmodSync(join(directory, "nomad.token"), 0o644);
    const open = expectRefused(await deploy({}), "source/too-open");
    expect(open.stderr).toContain("token has mode 0644");
    chmodSync(join(directory, "nomad.token"), 0o600);
    writeFileSync(join(directory, "nomad.token"), `${token}\r\nx-evil: 1\n`);
    const bad = expectRefused(await deploy({}), "configuration/invalid");
    expect(bad.stderr).not.toContain(token);
    configure({ nomad: { url, trustedCa: "ca.pem", tokenFile: "nothing" } });
    expectRefused(await deploy({}), "configuration/missing");
    expect(nomad.requests).toEqual([]);
  });

  it("is asked nothing, and shown no token, by a certificate that nobody vouches for", async () => {
    configure({ nomad: { url, tokenFile: "nomad.token" } });
    const refused = expectRefused(await deploy({}), "scheduler/unavailable");
    expect(refused.stderr).toMatch(/SELF_SIGNED.*\nhint: .*trustedCa/u);
    expect(nomad.requests).toEqual([]);
  });
});
