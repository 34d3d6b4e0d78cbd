import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { encodeIdentity } from "../../src/crypto/identity.ts";
import { exitStatus, failures, type FailureCode } from "../../src/failure.ts";
import { parseSignerKey } from "../../src/formats/sshsig/public-key.ts";
import { root, TestCluster } from "../fixtures/cluster.ts";
import { refusalLines, sealaunch, type Ended } from "../fixtures/program.ts";

// What is sealed is sealed before any node is asked; the pool's one node is nowhere, so that each ends there.

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "sealaunch-home-"));
  await mkdir(join(home, ".ssh"));
  const key = join(home, ".ssh/id_ed25519");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  await writeFile(join(home, "gitconfig"), `[user]\n\tsigningkey = ${key}.pub\n`);
});
afterAll(() => rm(home, { recursive: true }));

let test: TestCluster;
const at = (name: string): string => join(test.directory, name);
beforeEach(async () => {
  test = await TestCluster.create();
  await rm(test.path("bundles"), { recursive: true });
  const line = await readFile(join(home, ".ssh/id_ed25519.pub"), "utf8");
  const signer = parseSignerKey(line, "ada");
  await test.withRoster({ signers: [{ name: "ada", signer, names: ["dns"], expires: null }] });
  const { cluster } = test.roster({});
  const hosts = { n1: "root@n1.invalid" };
  const configuration = { cluster, source: "dir:.", roots: [root.key], threshold: 1, hosts };
  await writeFile(at("sealaunch.json"), JSON.stringify(configuration));
  await writeFile(at("operator.identity"), encodeIdentity(test.operator), { mode: 0o400 });
  await mkdir(at("services"));
  encrypt("token.age", "correct horse");
  encrypt("key.age", "-----BEGIN KEY-----\n");
});
afterEach(() => test[Symbol.asyncDispose]());

/** A file as agenix writes it, beside the service file. */
function encrypt(name: string, value: string): void {
  const words = [
    "--encrypt",
    "-R",
    join(home, ".ssh/id_ed25519.pub"),
    "-o",
    at(`services/${name}`),
  ];
  execFileSync("age", words, { input: value });
}

function run(args: readonly string[], HOME = home): Promise<Ended> {
  const environment = { HOME, GIT_CONFIG_GLOBAL: join(home, "gitconfig") };
  return sealaunch(args, { cwd: test.directory, environment });
}

const values = { dns: { agenix: ["CF_TOKEN=token.age", "KEY=key.age"] } };
const path = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-dns-1";

async function deploy(change: object = {}, options: readonly string[] = []): Promise<Ended> {
  const service = { version: 1, name: "dns", closure: path, program: "bin/dns", bundles: ["dns"] };
  await writeFile(at("services/dns.json"), JSON.stringify({ ...service, values, ...change }));
  return run(["deploy", "services/dns.json", "--pool", "web", ...options]);
}

/** @returns what it said to people, when it came as far as the node */
function untilNode({ status, stdout, stderr }: Ended): string {
  expect(stderr).toMatch(/^error: dns\.json on n1: root@n1\.invalid ended with 255: /mu);
  expect(status).toBe(69);
  return stdout.toString() + stderr;
}

const generations = (): Promise<string[]> =>
  readdir(test.path("bundles/dns")).then(
    (names) => names.filter((name) => /^\d+\.\d+$/u.test(name)).sort(),
    () => [],
  );

async function opened(credential: string): Promise<string> {
  const ended = await run(["open", "dns", credential, "--identity", "operator.identity"]);
  expect(ended.stderr).toBe("");
  return ended.stdout.toString();
}

/** Of each credential of the newest generation, the payload. */
async function payloads(): Promise<Map<string, string>> {
  const newest = (await generations()).at(-1) ?? "";
  const statement = JSON.parse(
    await readFile(test.path(`bundles/dns/${newest}/statement.json`), "utf8"),
  ) as { credentials: { name: string; payload: string }[] };
  return new Map(statement.credentials.map(({ name, payload }) => [name, payload]));
}

describe("deploy of a service whose values come from encrypted files", () => {
  it("seals them for the service's pools and its unit, where the bundle is new", async () => {
    const said = untilNode(await deploy());
    expect(said).toMatch(/^sealed dns 1 for web, /mu);
    expect(said).toMatch(/^may ask: dns\.service$/mu);
    expect(await opened("CF_TOKEN")).toBe("correct horse");
    expect(await opened("KEY")).toBe("-----BEGIN KEY-----\n");
    const record = await readFile(at("sealed-from.json"), "utf8");
    expect(JSON.parse(record)).toMatchObject({
      version: 1,
      bundles: {
        dns: [
          {
            from: "agenix CF_TOKEN=services/token.age",
            payloads: { CF_TOKEN: (await payloads()).get("CF_TOKEN") },
          },
          { from: "agenix KEY=services/key.age" },
        ],
      },
    });
    for (const value of ["correct", "BEGIN"]) expect(said + record).not.toContain(value);
  });

  it("seals nothing, and decrypts nothing, while no file has changed", async () => {
    untilNode(await deploy());
    const record = await readFile(at("sealed-from.json"), "utf8");
    await rm(at("services/dns.json"));
    await deploy();
    const stranger = await mkdtemp(join(tmpdir(), "sealaunch-home-"));
    const said = untilNode(await run(["deploy", "services/dns.json"], stranger));
    await rm(stranger, { recursive: true });
    expect(said).not.toContain("sealed");
    expect(await generations()).toEqual(["0.1"]);
    expect(await readFile(at("sealed-from.json"), "utf8")).toBe(record);
  });

  it("seals the one that has changed, and leaves the other's bytes as they are", async () => {
    untilNode(await deploy());
    const before = await payloads();
    encrypt("token.age", "battery staple");
    expect(untilNode(await deploy())).toMatch(/^sealed dns 2 for web, /mu);
    const after = await payloads();
    expect(after.get("KEY")).toBe(before.get("KEY"));
    expect(after.get("CF_TOKEN")).not.toBe(before.get("CF_TOKEN"));
    expect(await opened("CF_TOKEN")).toBe("battery staple");
    untilNode(await deploy());
    expect(await generations()).toEqual(["0.1", "0.2"]);
  });

  it("only says with --dry-run what it would seal", async () => {
    untilNode(await deploy());
    encrypt("token.age", "battery staple");
    const said = untilNode(await deploy({}, ["--dry-run"]));
    expect(said).toMatch(
      /^would seal dns anew: changed are agenix CF_TOKEN=services\/token\.age$/mu,
    );
    expect(await generations()).toEqual(["0.1"]);
    expect(await opened("CF_TOKEN")).toBe("correct horse");
  });

  it("leaves what somebody has sealed otherwise since, and warns, until the file changes", async () => {
    untilNode(await deploy());
    await writeFile(at("by-hand"), "by hand");
    expect((await run(["seal", "dns", "CF_TOKEN=by-hand"])).status).toBe(0);
    const said = untilNode(await deploy());
    expect(said).toMatch(
      /^warning: credential CF_TOKEN of dns was sealed otherwise since agenix CF_TOKEN=services\/token\.age was sealed, and stays so$/mu,
    );
    expect(await opened("CF_TOKEN")).toBe("by hand");
    encrypt("token.age", "battery staple");
    untilNode(await deploy());
    expect(await opened("CF_TOKEN")).toBe("battery staple");
  });

  it.each<[what: string, change: object, code: FailureCode, named: RegExp]>([
    [
      "a file that isn't there",
      { values: { dns: { agenix: ["absent.age"] } } },
      "credential/unreadable",
      /^error: absent\.age isn't there/u,
    ],
    [
      "one that can't be decrypted",
      { values: { dns: { agenix: ["TOKEN=dns.json"] } } },
      "credential/undecryptable",
      /^error: .*dns\.json/u,
    ],
    [
      "the same credential of two files",
      { values: { dns: { agenix: ["KEY=token.age", "KEY=key.age"] } } },
      "usage/invalid",
      /^error: credential KEY of dns comes from agenix KEY=services\/key\.age and from another file too$/mu,
    ],
    [
      "values of a bundle that it doesn't get",
      { values: { web: { agenix: ["token.age"] } } },
      "service/malformed",
      /^error: dns\.json: values: names a bundle that isn't in 'bundles'/u,
    ],
    [
      "a value itself",
      { values: { dns: { CF_TOKEN: "correct horse" } } },
      "service/malformed",
      /^error: dns\.json: values\.dns: unrecognized keys \(CF_TOKEN\)$/mu,
    ],
  ])("refuses %s, and nothing is written", async (_, change, code, named) => {
    const { status, stderr } = await deploy(change);
    expect(stderr).toMatch(refusalLines);
    expect(stderr).toMatch(named);
    expect(status).toBe(exitStatus[failures[code][0]]);
    expect(await generations()).toEqual([]);
    expect(existsSync(at("sealed-from.json"))).toBe(false);
  });
});
