import { existsSync, readFileSync } from "node:fs";
import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exitStatus, failures, type FailureCode } from "../../src/failure.ts";
import { listOf, parseUnitFile } from "../../src/service/unit-file.ts";
import { root, TestCluster } from "../fixtures/cluster.ts";
import { expectDone } from "../fixtures/ended.ts";
import { NixWorkplace } from "../fixtures/nix-expression.ts";
import { refusalLines, sealaunch, type Ended } from "../fixtures/program.ts";
import { createCacheKey, TestStore } from "../fixtures/store.ts";

const attribute = { file: "default.nix", attribute: "dns" };
const flake = { flake: "path:.#dns" };

let place: NixWorkplace;
beforeAll(async () => {
  place = new NixWorkplace();
  await place.write("#!/bin/sh");
  await using cluster = await TestCluster.create();
  await rm(cluster.path("bundles"), { recursive: true });
  await cluster.withBundle({ units: ["dns.service"] }, { CF_TOKEN: "canary" });
  const configuration = { cluster: cluster.roster({}).cluster, source: "dir:.", roots: [root.key] };
  await cp(cluster.directory, place.directory, { recursive: true });
  await writeFile(join(place.directory, "sealaunch.json"), JSON.stringify(configuration));
});
afterAll(() => {
  place[Symbol.dispose]();
});

async function withService(change: object, args: readonly string[]): Promise<Ended> {
  const service = { version: 1, name: "dns", program: "bin/dns", bundles: ["dns@1+"] };
  const text = JSON.stringify({ ...service, ...change });
  await writeFile(join(place.directory, "dns.json"), text);
  return sealaunch(args, { cwd: place.directory, environment: place.environment });
}

/** The program that the unit of such a service runs. */
async function programOf(change: object, ...options: readonly string[]): Promise<string> {
  const ended = await withService(change, ["unit", "dns.json", ...options]);
  const unit = parseUnitFile(expectDone(ended).toString(), "dns.service");
  const [command = ""] = listOf(unit, "Service", "ExecStart");
  return command.split(" -- ")[1] ?? "";
}

describe("a service file that says what Nix builds it of", () => {
  it.each([
    ["an attribute of a file", attribute],
    ["a flake's attribute", flake],
  ])("has %s built, and the unit run it", async (_, closure) => {
    const program = await programOf({ closure });
    expect(program).toMatch(/^\/nix\/store\/[0-9a-z]{32}-dns-1\/bin\/dns$/u);
    expect(readFileSync(place.store.place(program), "utf8")).toBe("#!/bin/sh\n");
  });

  it("is only asked what it would be with --no-build", async () => {
    const built = await programOf({ closure: attribute });
    await place.write("#!/bin/sh -e");
    const [one, other] = [
      await programOf({ closure: attribute }, "--no-build"),
      await programOf({ closure: flake }, "--no-build"),
    ];
    expect(one).not.toBe(built);
    expect(other).toBe(one);
    expect(existsSync(place.store.place(one))).toBe(false);
    expect(await programOf({ closure: attribute })).toBe(one);
  });

  it("may name a store path that was built elsewhere", async () => {
    const path = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-dns-1";
    expect(await programOf({ closure: path })).toBe(`${path}/bin/dns`);
  });

  it("takes templates from what was built", async () => {
    const renders = { "app.conf": "etc/app.conf.in" };
    const ended = await withService({ closure: attribute, renders }, ["unit", "dns.json"]);
    expect(expectDone(ended).toString()).toMatch(
      /--render app\.conf=\/nix\/store\/[0-9a-z]{32}-dns-1\/etc\/app\.conf\.in /u,
    );
  });

  it("is published as it is built, to where other machines fetch it", async () => {
    const key = createCacheKey(place.store.root, "cache.example.org-1");
    const cache = `file://${place.store.root}/cache`;
    const options = ["--store", place.store.root, "--to", cache, "--cache-key", key.secret];
    await place.write("#!/bin/sh -u");
    const ended = await withService({ closure: attribute }, ["publish", "dns.json", ...options]);
    expect(expectDone(ended).toString()).toMatch(/^published 1 store path to file:/u);
    const program = await programOf({ closure: attribute }, "--no-build");
    using other = new TestStore();
    await other.fetch(program.split("/bin/")[0] ?? "", cache, [key.open]);
    expect(readFileSync(other.place(program), "utf8")).toBe("#!/bin/sh -u\n");
  });

  it("is verified without being built", async () => {
    await place.write("#!/bin/sh -x");
    const ended = await withService(
      { closure: attribute, renders: { "app.conf": "etc/app.conf.in" } },
      ["verify", "dns", "--units", "dns.json"],
    );
    expectDone(ended);
    expect(
      existsSync(place.store.place(await programOf({ closure: attribute }, "--no-build"))),
    ).toBe(false);
  });

  it.each<[what: string, change: object, code: FailureCode, named: RegExp]>([
    [
      "an attribute that isn't there",
      { closure: { file: "default.nix", attribute: "nothing" } },
      "closure/not-built",
      /^error: nix-build default\.nix -A nothing ends with 1: attribute 'nothing' /u,
    ],
    [
      "a file that isn't there",
      { closure: { file: "absent.nix" } },
      "closure/not-built",
      /^error: nix-build absent\.nix ends with 1: .*absent\.nix/u,
    ],
    [
      "one whose builder fails",
      { closure: { file: "default.nix", attribute: "broken" } },
      "closure/not-built",
      /^error: nix-build default\.nix -A broken ends with 100: builder for .*broken-1\.drv' failed/u,
    ],
    [
      "a flake's attribute that isn't there",
      { closure: { flake: "path:.#nothing" } },
      "closure/not-built",
      /^error: nix build path:\.#nothing ends with 1: flake .*nothing/u,
    ],
    [
      "an option in place of a file",
      { closure: { file: "--version" } },
      "service/malformed",
      /^error: dns\.json: closure\.file: is no path$/mu,
    ],
    [
      "a program outside of its closure",
      { closure: attribute, program: "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-a/bin/a" },
      "service/malformed",
      /^error: dns\.json: program: is a path in 'closure' if that is given/u,
    ],
    [
      "a program that climbs out of it",
      { closure: attribute, program: "../bin/sh" },
      "closure/not-in-store",
      /^error: program "\/nix\/store\/.*\/\.\.\/bin\/sh" is not below/u,
    ],
    [
      "a path in a closure that isn't given",
      { program: "bin/dns" },
      "service/malformed",
      /^error: dns\.json: program: is a path in 'closure' if that is given/u,
    ],
  ])("refuses %s", async (_, change, code, named) => {
    const { status, stdout, stderr } = await withService(change, ["unit", "dns.json"]);
    expect(stderr).toMatch(refusalLines);
    expect(stderr).toMatch(named);
    expect(status).toBe(exitStatus[failures[code][0]]);
    expect(stdout.toString()).toBe("");
  });
});
