import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chooseFromSops } from "../../src/commands/seal/sops.ts";
import { encodeIdentity } from "../../src/crypto/identity.ts";
import { exitStatus, failures, type FailureCode } from "../../src/failure.ts";
import { parseSignerKey } from "../../src/formats/sshsig/public-key.ts";
import { root, TestCluster } from "../fixtures/cluster.ts";
import { cleanEnvironment, refusalLines, sealaunch, type Ended } from "../fixtures/program.ts";
import { refusal } from "../fixtures/refusal.ts";

/** Somebody's home: his SSH key, which opens his age files and signs. */
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "sealaunch-home-"));
  await mkdir(join(home, ".ssh"));
  for (const key of ["id_ed25519", "other"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(home, ".ssh", key)]);
  }
});
afterAll(() => rm(home, { recursive: true }));

let test: TestCluster;
const at = (name: string): string => join(test.directory, name);
const publicKey = (name: string): string => join(home, ".ssh", `${name}.pub`);

beforeEach(async () => {
  test = await TestCluster.create();
  await rm(test.path("bundles"), { recursive: true });
  const line = execFileSync("cat", [publicKey("id_ed25519")], { encoding: "utf8" });
  const signer = parseSignerKey(line, "ada");
  await test.withRoster({ signers: [{ name: "ada", signer, names: ["dns"], expires: null }] });
  const { cluster } = test.roster({});
  const configuration = { cluster, source: "dir:.", roots: [root.key], threshold: 1 };
  await writeFile(at("sealaunch.json"), JSON.stringify(configuration));
  await writeFile(at("operator.identity"), encodeIdentity(test.operator), { mode: 0o400 });
});
afterEach(() => test[Symbol.asyncDispose]());

const run = (args: readonly string[], environment: Record<string, string> = {}): Promise<Ended> =>
  sealaunch(args, { cwd: test.directory, environment: { HOME: home, ...environment } });

const seal = (args: readonly string[], environment?: Record<string, string>): Promise<Ended> =>
  run(["seal", "dns", "--pool", "web", "--signer", publicKey("id_ed25519"), ...args], environment);

async function opened(credential: string): Promise<Buffer> {
  const ended = await run(["open", "dns", credential, "--identity", "operator.identity"]);
  expect(ended.stderr).toBe("");
  return ended.stdout;
}

/** A file as agenix writes it. */
function age(name: string, value: Uint8Array, key = "id_ed25519"): void {
  const words = ["--encrypt", "-R", publicKey(key), "-o", at(name)];
  execFileSync("age", words, { input: value });
}

async function expectRefused(ended: Ended, code: FailureCode): Promise<void> {
  expect(ended.stderr).toMatch(refusalLines);
  expect(ended.status).toBe(exitStatus[failures[code][0]]);
  expect(await readdir(test.path("bundles")).catch(() => [])).toEqual([]);
}

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

describe("seal --from-agenix", () => {
  it("seals what age decrypts byte for byte, named after the file or as asked", async () => {
    age("cf-token.age", everyByte);
    age("other.age", Buffer.from("second"));
    const ended = await seal(["--from-agenix", "cf-token.age", "--from-agenix", "B=other.age"]);
    expect(ended.stderr).toBe("");
    expect(ended.status).toBe(0);
    expect(await opened("cf-token")).toEqual(everyByte);
    expect((await opened("B")).toString()).toBe("second");
  });

  it("takes the key that --age-identity names instead of the usual ones", async () => {
    age("token.age", Buffer.from("x"), "other");
    await expectRefused(await seal(["--from-agenix", "token.age"]), "credential/undecryptable");
    const key = join(home, ".ssh/other");
    expect((await seal(["--from-agenix", "token.age", "--age-identity", key])).status).toBe(0);
    expect((await opened("token")).toString()).toBe("x");
  });

  it("says which file is missing, and that age is", async () => {
    await expectRefused(await seal(["--from-agenix", "no.age"]), "credential/unreadable");
    age("token.age", Buffer.from("x"));
    const withoutAge = { PATH: dirname(process.execPath) };
    await expectRefused(await seal(["--from-agenix", "token.age"], withoutAge), "program/missing");
  });

  it("refuses a file after which no credential can be called", async () => {
    age("my token.age", Buffer.from("x"));
    await expectRefused(await seal(["--from-agenix", "my token.age"]), "usage/bad-name");
    expect((await seal(["--from-agenix", "TOKEN=my token.age"])).status).toBe(0);
  });

  it("refuses the same credential from two places", async () => {
    age("a.age", Buffer.from("x"));
    await expectRefused(await seal(["--from-agenix", "a.age", "--generate", "a"]), "usage/invalid");
  });
});

const hasSops = spawnSync("sops", ["--version"], { env: cleanEnvironment }).status === 0;

describe("what sops has decrypted", () => {
  const tree = { token: "t", port: 53, on: true, db: { user: "u", pw: "p" }, half: 0.5, no: null };
  const choose = (key?: string, name?: string): [string, string][] =>
    chooseFromSops(Buffer.from(JSON.stringify(tree)), { file: "s.yaml", key, name }).map(
      ([credential, value]) => [credential, Buffer.from(value).toString()],
    );

  it("is one value by its key, or all of a group", () => {
    expect(choose("token")).toEqual([["token", "t"]]);
    expect(choose("db/pw", "PASSWORD")).toEqual([["PASSWORD", "p"]]);
    expect(choose("db")).toEqual([
      ["user", "u"],
      ["pw", "p"],
    ]);
    expect(choose("port")).toEqual([["port", "53"]]);
    expect(choose("on")).toEqual([["on", "true"]]);
  });

  it("is refused where it isn't plain which bytes are meant", async () => {
    expect(await refusal(() => choose())).toBe("usage/invalid");
    expect(await refusal(() => choose("db", "DB"))).toBe("usage/invalid");
    expect(await refusal(() => choose("half"))).toBe("usage/invalid");
    expect(await refusal(() => choose("no"))).toBe("usage/invalid");
    expect(await refusal(() => choose("db/port"))).toBe("credential/missing");
    const choice = { file: "s.yaml", key: undefined, name: undefined };
    const fromText = (text: string): unknown => chooseFromSops(Buffer.from(text), choice);
    expect(await refusal(() => fromText("{}"))).toBe("credential/missing");
    expect(await refusal(() => fromText("no json"))).toBe("credential/undecryptable");
  });
});

describe("seal --from-sops", () => {
  it("says that sops is missing", async () => {
    await writeFile(at("secrets.yaml"), "a: ENC[x]\n");
    const withoutSops = { PATH: dirname(process.execPath) };
    const ended = await seal(["--from-sops", "secrets.yaml"], withoutSops);
    await expectRefused(ended, "program/missing");
  });

  it("seals the values of a file, and a file that is one value", async (context) => {
    if (!hasSops) context.skip("sops not on PATH");
    const key = execFileSync("age-keygen", { encoding: "utf8", stdio: "pipe" });
    await writeFile(at("sops.key"), key);
    const recipient = /age1[a-z0-9]+/u.exec(key)?.[0] ?? "";
    const sops = { SOPS_AGE_KEY_FILE: at("sops.key") };
    await writeFile(at("secrets.yaml"), 'token: "0123"\ndb:\n  pw: p\n');
    await writeFile(at("blob"), everyByte);
    for (const file of ["secrets.yaml", "blob"]) {
      execFileSync("sops", ["--encrypt", "--age", recipient, "--in-place", at(file)]);
    }
    const words = ["TOKEN=secrets.yaml#token", "secrets.yaml#db", "blob"];
    const ended = await seal(
      words.flatMap((word) => ["--from-sops", word]),
      sops,
    );
    expect(ended.stderr).toBe("");
    expect((await opened("TOKEN")).toString()).toBe("0123");
    expect((await opened("pw")).toString()).toBe("p");
    expect(await opened("blob")).toEqual(everyByte);
    expect((await seal(["--from-sops", "blob#key"], sops)).status).toBe(64);
  });
});
