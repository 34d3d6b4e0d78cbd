import { spawnSync } from "node:child_process";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { root, TestCluster } from "../fixtures/cluster.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { cleanEnvironment, sealaunch, sealaunchPath, type Ended } from "../fixtures/program.ts";
import { serviceFields } from "../fixtures/service.ts";
import { textOfFile } from "../source.ts";

let test: TestCluster;
const path = (name: string): string => join(test.directory, name);
beforeEach(async () => {
  test = await TestCluster.create();
  await rm(test.path("bundles"), { recursive: true });
  const units = ["dns.service"];
  await test.withBundle({ units, inPlace: true }, { CF_TOKEN: "canary" });
  await test.withBundle({ name: "web/unit", units, inPlace: false }, { KEY: "other" });
  const { cluster } = test.roster({});
  const configuration = { cluster, source: "dir:.", roots: [root.key], threshold: 1 };
  await writeFile(path("sealaunch.json"), JSON.stringify(configuration));
});
afterEach(() => test[Symbol.asyncDispose]());

async function unit(scheduler: string, change: object, ...args: string[]): Promise<Ended> {
  const fields = serviceFields({ bundles: ["dns@1+"], ...change });
  await writeFile(path("dns.json"), JSON.stringify(fields));
  return sealaunch(["unit", "dns.json", "--for", scheduler, ...args], { cwd: test.directory });
}

describe("unit --for", () => {
  it.for(["fleet", "pacemaker", "nomad", "marathon"])(
    "%s gives the same bytes again, on standard output and in a file",
    async (scheduler) => {
      const first = expectDone(await unit(scheduler, {}));
      expectDone(await unit(scheduler, {}, "--output", "written"));
      expect(await readFile(path("written"), "utf8")).toBe(first.toString());
      expect(first.toString()).not.toContain("canary");
    },
  );

  it.for(["fleet", "nomad", "marathon"])("%s names each credential to the launch", async (one) => {
    const text = expectDone(await unit(one, { env: ["TOKEN=CF_TOKEN"] })).toString();
    const words = text.replaceAll(/"|,|\n/gu, " ").replaceAll(/ +/gu, " ");
    expect(words).toContain(
      "--bundle dns@1+ --credential CF_TOKEN --env TOKEN=CF_TOKEN --".replace(
        / --$/u,
        one === "fleet" ? " -- /nix/store/" : " --user nobody",
      ),
    );
  });

  it.for(["systemd", "fleet", "pacemaker", "nomad", "marathon"])(
    "%s with --json gives one JSON value, which has the same text, written or not",
    async (scheduler) => {
      const text = expectDone(await unit(scheduler, {})).toString();
      for (const output of ["-", "written"]) {
        const said = expectDone(await unit(scheduler, {}, "--json", "--output", output));
        const value = JSON.parse(said.toString()) as Record<string, unknown>;
        expect(value).toMatchObject({ output, text, credentials: ["CF_TOKEN"] });
        expect(Object.hasOwn(value, "beside")).toBe(scheduler === "pacemaker");
      }
    },
  );

  it("pacemaker writes the unit beside the configuration, and never over it", async () => {
    const said = expectDone(await unit("pacemaker", {}, "--output", "dns.xml")).toString();
    expect(said).toMatch(/^wrote dns\.xml: .*\nwrote dns\.service beside it/u);
    const text = await readFile(path("dns.service"), "utf8");
    expect(text).toContain("\nRestart=no\n");
    expect(text).toContain("LoadCredential=CF_TOKEN:");
    expect(text).not.toContain("[Install]");
    expect((await stat(path("dns.service"))).mode & 0o777).toBe(0o644);
    const before = await readdir(test.directory);
    const refused = await unit("pacemaker", {}, "--output", "dns.service");
    expectRefused(refused, "usage/invalid");
    expect(await readFile(path("dns.service"), "utf8")).toBe(text);
    expect(await readdir(test.directory)).toEqual(before);
  });

  it("nomad and marathon name the launcher that they are told of", async () => {
    const words = ["--launcher", "/opt/sealaunch"];
    expect(JSON.parse(expectDone(await unit("marathon", {}, ...words)).toString())).toMatchObject({
      args: expect.arrayContaining(["/opt/sealaunch"]) as unknown,
    });
    expect(expectDone(await unit("nomad", {})).toString()).toContain('"/usr/bin/sealaunch"');
  });

  it.for([
    [
      "nomad",
      "a bundle that may not be opened in place",
      { bundles: ["web/unit"] },
      "bundle/not-in-place",
    ],
    ["fleet", "a bundle that isn't for the unit", { name: "mail" }, "bundle/wrong-unit"],
    ["marathon", "a name that is none there", { name: "a_b" }, "service/unsupported"],
    [
      "nomad",
      "a variable that root starts nothing with",
      { environment: { LD_PRELOAD: "" } },
      "service/malformed",
    ],
    ["pacemaker", "a number of instances that is none", { instances: 0 }, "service/malformed"],
    ["fleet", "a health check without a port", { health: {} }, "service/malformed"],
    [
      "fleet",
      "an attribute with a quote",
      { placement: { where: { a: '"' } } },
      "service/malformed",
    ],
  ] as const)("%s refuses %s", async ([scheduler, , change, code]) => {
    const { stdout } = expectRefused(await unit(scheduler, change), code);
    expect(stdout.toString()).toBe("");
  });

  it.for([
    [
      "instances",
      { instances: "all" },
      'instances: is neither a number from 1 to 10000 nor "every node"',
    ],
    [
      "an attribute's value",
      { placement: { where: { role: "d b" } } },
      "placement.where.role: is no",
    ],
    ["a field that there isn't", { resources: { disk: 1 } }, "resources: unrecognized keys (disk)"],
    ["a bound", { resources: { memory: 1 } }, "resources.memory: too small"],
  ] as const)("points at %s that is wrong", async ([, change, said]) => {
    const { stderr } = expectRefused(await unit("fleet", change), "service/malformed");
    expect(stderr).toContain(said);
  });
});

describe("systemd", () => {
  it("understands the resources, and what fleet reads beside it", async () => {
    const change = {
      resources: { memory: 64, cpu: 0.015 },
      instances: "every node",
      user: "www-data",
    };
    expectDone(await unit("fleet", change, "--output", "dns.service"));
    const said = spawnSync("systemd-analyze", ["verify", "--man=no", path("dns.service")]);
    const wrapper = /^.*sealaunch-wrapper\/bin\/sealaunch is not executable.*\n/mu;
    expect(said.stderr.toString().replace(wrapper, "")).toBe("");
    expect(await readFile(path("dns.service"), "utf8")).toContain("\nCPUQuota=1.5%\n");
  });
});

describe("docs/schedulers.md", () => {
  const page = textOfFile("docs/schedulers.md");
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gmsu)].map(([, block = ""]) => block);

  it("shows a service file of which each of its commands, in their order, does what it says", async () => {
    expect(blocks).toHaveLength(5);
    const [, file = ""] = /^```json\n(.*?)^```$/msu.exec(page) ?? [];
    await writeFile(path("dns.json"), file);
    const environment = {
      PATH: `${dirname(sealaunchPath)}:${cleanEnvironment.PATH}:/usr/sbin`,
      HOME: test.directory,
      CIB_file: path("cib.xml"),
    };
    const run = (script: string): void => {
      const options = { cwd: test.directory, encoding: "utf8", env: environment } as const;
      const { status, stderr } = spawnSync("sh", ["-ec", script], options);
      expect([script, status, stderr]).toEqual([script, 0, ""]);
    };
    run("cibadmin --empty >cib.xml");
    for (const block of blocks) run(block);
    expect(await readdir(test.directory)).toEqual(
      expect.arrayContaining(["dns.service", "dns.xml", "dns.nomad.json", "dns.app.json"]),
    );
    const cib = await readFile(path("cib.xml"), "utf8");
    expect(cib).toContain('type="dns.service"');
    expect(cib).not.toContain("rsc_location");
  });
});
