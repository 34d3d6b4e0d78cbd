import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from "vitest";
import { exitStatus, failures, type FailureCode } from "../../src/failure.ts";
import { decodeStatement, type Statement } from "../../src/formats/records/statement.ts";
import { parseSignerKey, type SignerKey } from "../../src/formats/sshsig/public-key.ts";
import { manager, root, TestCluster } from "../fixtures/cluster.ts";
import { refusalLines, sealaunch, type Ended } from "../fixtures/program.ts";

let keys: string;
const signers = new Map<string, SignerKey>();
beforeAll(async () => {
  keys = await mkdtemp(join(tmpdir(), "sealaunch-keys-"));
  for (const who of ["ada", "bob", "eve"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", who, "-f", join(keys, who)]);
    const line = await readFile(join(keys, `${who}.pub`), "utf8");
    signers.set(who, parseSignerKey(line, who));
  }
});
afterAll(() => rm(keys, { recursive: true }));

let test: TestCluster;
beforeEach(async () => {
  test = await TestCluster.create();
  await rm(test.path("bundles"), { recursive: true });
  await rm(test.path("headers"), { recursive: true });
  await test.withRoster({
    pools: [
      { name: "db", managers: [manager.key] },
      { name: "web", managers: [manager.key] },
    ],
    signers: [
      {
        name: "ada",
        signer: signers.get("ada")!,
        names: ["dns", "web/"],
        expires: null,
      },
      { name: "bob", signer: signers.get("bob")!, names: ["dns"], expires: null },
    ],
  });
  const { cluster } = test.roster({});
  const configuration = { cluster, source: "dir:.", roots: [root.key], threshold: 1 };
  await writeFile(join(test.directory, "sealaunch.json"), JSON.stringify(configuration));
});
afterEach(() => test[Symbol.asyncDispose]());

const seal = (
  args: string,
  options: { input?: string | Uint8Array; environment?: Record<string, string> } = {},
): Promise<Ended> =>
  sealaunch(["seal", ...args.split(" "), "--signer", join(keys, "ada.pub")], {
    cwd: test.directory,
    ...options,
  });

async function statementOf(generation: number): Promise<Statement> {
  return decodeStatement(
    await readFile(test.path(`bundles/dns/0.${String(generation)}/statement.json`)),
  );
}

/** A credential's bytes as the operator opens them. */
async function opened(credential: string): Promise<Buffer> {
  const identity = join(test.directory, "operator.identity");
  const { encodeIdentity } = await import("../../src/crypto/identity.ts");
  await writeFile(identity, encodeIdentity(test.operator), { mode: 0o400, flag: "w" }).catch(
    () => undefined,
  );
  const { status, stdout, stderr } = await sealaunch(
    ["open", "dns", credential, "--identity", identity],
    { cwd: test.directory },
  );
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout;
}

async function expectRefused(ended: Ended, code: FailureCode): Promise<void> {
  expect(ended.stderr).toMatch(refusalLines);
  expect(ended.status).toBe(exitStatus[failures[code][0]]);
  // Nothing was written: no bundle at all, and no staged leftovers.
  expect(await readdir(join(test.directory, "secrets")).catch(() => [])).toEqual([]);
}

describe("seal", () => {
  it("makes a bundle that verify accepts and an operator opens byte for byte", async () => {
    const value = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await writeFile(join(test.directory, "token"), value);
    const ended = await seal("dns CF_TOKEN=token --pool web --unit dns.service --in-place");
    expect(ended.stderr).toBe("");
    expect(ended.status).toBe(0);
    expect(ended.stdout.toString()).toContain("next: sealaunch verify dns");
    const verified = await sealaunch(["verify"], { cwd: test.directory });
    expect(verified.stderr).toBe("");
    expect(verified.status).toBe(0);
    expect(await opened("CF_TOKEN")).toEqual(value);
  });

  it("replaces one credential of several and leaves the others' sealed bytes as they are", async () => {
    await seal("dns A=- --pool web", { input: "first" });
    await seal("dns B=-", { input: "second" });
    const before = await statementOf(2);
    const ended = await sealaunch(["seal", "dns", "A=-", "--signer", join(keys, "bob")], {
      cwd: test.directory,
      input: "third",
    });
    expect(ended.status).toBe(0);
    const after = await statementOf(3);
    const find = (statement: Statement, name: string): unknown =>
      statement.credentials.find((credential) => credential.name === name);
    expect(find(after, "B")).toEqual(find(before, "B"));
    expect(find(after, "A")).not.toEqual(find(before, "A"));
    expect((await opened("A")).toString()).toBe("third");
    expect((await opened("B")).toString()).toBe("second");
  });

  it("adds and removes units without any value", async () => {
    await seal("dns A=- --pool web --unit a.service", { input: "x" });
    expect((await seal("dns --unit b@ --remove-unit a.service")).status).toBe(0);
    expect((await statementOf(2)).units).toEqual(["b@"]);
    expect((await statementOf(2)).credentials).toEqual((await statementOf(1)).credentials);
  });

  it("does nothing when there is nothing to do", async () => {
    await seal("dns A=- --pool web --unit a.service", { input: "x" });
    const ended = await seal("dns --unit a.service");
    expect(ended.stdout.toString()).toContain("nothing to do");
    expect((await readdir(test.path("bundles/dns"))).toSorted()).toEqual(["0.1", "values"]);
  });

  it("removes a credential, and refuses to leave none", async () => {
    await seal("dns A=- --pool web", { input: "x" });
    await seal("dns --generate B");
    expect((await seal("dns --remove A")).status).toBe(0);
    expect((await statementOf(3)).credentials.map(({ name }) => name)).toEqual(["B"]);
    const last = await seal("dns --remove B");
    expect(last.status).toBe(64);
    expect(last.stderr).toMatch(refusalLines);
  });

  it("takes values from a file, standard input, the environment, a file of variables and chance", async () => {
    await writeFile(join(test.directory, "env"), 'D="multi\\nline"\nE=plain\n');
    await writeFile(join(test.directory, "file"), "from file");
    const ended = await seal(
      "dns A=file B=- --from-env C --from-env-file env --generate F --pool web",
      { input: "from input", environment: { C: "from env" } },
    );
    expect(ended.stderr).toBe("");
    expect(ended.status).toBe(0);
    const values = await Promise.all(
      ["A", "B", "C", "D", "E"].map(async (name) => (await opened(name)).toString()),
    );
    expect(values).toEqual(["from file", "from input", "from env", "multi\nline", "plain"]);
    expect((await opened("F")).toString()).toMatch(/^[A-Za-z0-9+/]{43}$/u);
  });

  it.for([
    ["from standard input", "dns A=-", { input: "" }],
    ["of a file", "dns A=empty", {}],
    ["that is one newline", "dns A=- --trim", { input: "\n" }],
    ["of the environment", "dns --from-env A", { environment: { A: "" } }],
  ] as const)("refuses an empty value %s, unless --allow-empty says so", async ([, words, how]) => {
    const all = `${words} --pool web --unit dns.service`;
    await writeFile(join(test.directory, "empty"), "");
    await expectRefused(await seal(all, how), "credential/empty");
    expect((await seal(`${all} --allow-empty`, how)).status).toBe(0);
  });

  it("warns of a newline at the end, changes no byte unless --trim says so", async () => {
    const kept = await seal("dns A=- --pool web", { input: "token\r\n" });
    expect(kept.stderr).toMatch(/^warning: credential A ends in a carriage return and a newline/u);
    expect((await opened("A")).toString()).toBe("token\r\n");
    const trimmed = await seal("dns A=- --trim", { input: "token\n\n" });
    expect(trimmed.stderr).toBe("");
    expect((await opened("A")).toString()).toBe("token\n");
  });

  const large = "x".repeat(1024 * 1024 + 1);
  it.for([
    ["usage/value-in-argument", "dns A=hunter2-the-value --pool web"],
    ["usage/bad-name", "dns hunter2!! --pool web"],
    ["usage/bad-name", "Dns A=- --pool web"],
    ["usage/bad-name", "dns/../x A=- --pool web"],
    ["usage/bad-name", "dns/0.1 A=- --pool web"],
    ["usage/bad-name", "dns A=- --pool WEB"],
    ["usage/bad-name", "dns A=- --pool web --unit a/b"],
    ["usage/bad-name", `dns A=- --pool web --unit ${"u".repeat(80)}.service`],
    ["pool/unknown", "dns A=- --pool mail"],
    ["pool/absent", "dns A=- --pool db"],
    ["usage/invalid", "dns A=-"],
    ["usage/invalid", "dns A=- A=- --pool web"],
    ["usage/invalid", "dns A=- --pool web --expires yesterday"],
    ["usage/invalid", "dns A=- --pool web --expires 2020-01-01"],
    ["usage/invalid", "dns --pool web"],
    ["usage/invalid", "dns A=- --pool web --token=hunter2"],
    ["credential/missing", "dns A=- --pool web --remove Z"],
    ["credential/unreadable", "dns --from-env NOT_SET --pool web"],
    ["signer/not-allowed", "billing A=- --pool web"],
    ["credential/too-large", "dns A=- --pool web", large],
    ["credential/not-for-environment", "dns A=- --pool web --env A", "nul\0byte"],
    ["credential/not-for-environment", "dns A=- --pool web --env A", "x".repeat(128 * 1024)],
  ] as [FailureCode, string, string?][])("is refused with %s: %s", async ([code, args, input]) => {
    const ended = await seal(args, { input: input ?? "hunter2" });
    await expectRefused(ended, code);
    expect(ended.stderr + ended.stdout.toString()).not.toContain("hunter2");
  });

  it("is refused for somebody whom the roster doesn't know", async () => {
    const args = ["seal", "dns", "A=-", "--pool", "web", "--signer", join(keys, "eve.pub")];
    await expectRefused(await sealaunch(args, { cwd: test.directory, input: "x" }), "signer/none");
  });

  it("is refused where no key is held, and says who may sign", async () => {
    const ended = await sealaunch(["seal", "dns", "A=-", "--pool", "web"], {
      cwd: test.directory,
      input: "x",
    });
    await expectRefused(ended, "signer/none");
    expect(ended.stderr).toContain("you hold no ed25519 key");
  });

  it("is refused by a clock that is before what was signed: clock/behind", async () => {
    const soon = new Date(Date.now() + 60_000).toISOString().replace(/\.\d+/u, "");
    const later = { issued: "2126-11-02T00:00:00Z", staleAfter: "2127-11-02T00:00:00Z" };
    await test.withRoster({ generation: 2, issued: soon });
    const ended = await seal("dns A=- --pool web", { input: "x" });
    // No clock is exact: a minute ahead, it goes on to ask who may sign.
    await expectRefused(ended, "signer/none");
    await test.withRoster({ generation: 3, ...later });
    const refused = await seal("dns A=- --pool web", { input: "x" });
    await expectRefused(refused, "clock/behind");
    expect(refused.stderr).toContain(`issued ${later.issued}, and here it is 20`);
  });

  it("is refused by a configuration that is no JSON, with what finds the place", async () => {
    await writeFile(join(test.directory, "sealaunch.json"), '{ "source": "dir:.", }');
    const refused = await seal("dns A=- --pool web", { input: "x" });
    await expectRefused(refused, "configuration/invalid");
    expect(refused.stderr).toContain("hint: jq . FILE names the line");
  });

  it("is refused against a stale roster", async () => {
    await test.withRoster({ generation: 2, staleAfter: "2026-11-02T00:00:00Z" });
    await expectRefused(await seal("dns A=- --pool web", { input: "x" }), "roster/stale");
  });

  it("needs every value when the audience changes", async () => {
    await test.withPool({ pool: "db" });
    await seal("dns A=- --pool web", { input: "x" });
    await seal("dns --generate B");
    const some = await seal("dns A=- --pool db --pool web", { input: "x" });
    expect(some.stderr).toMatch(refusalLines);
    expect(some.status).toBe(exitStatus[failures["bundle/values-needed"][0]]);
    expect((await seal("dns A=- --generate B --pool db --pool web", { input: "x" })).status).toBe(
      0,
    );
    expect((await statementOf(3)).audience).toEqual(["db", "web"]);
  });

  it("signs with the key that the agent holds, and with git's", async () => {
    const configured = { GIT_CONFIG_GLOBAL: join(test.directory, "gitconfig") };
    await writeFile(
      configured.GIT_CONFIG_GLOBAL,
      `[user]\nsigningkey = ${join(keys, "ada.pub")}\n`,
    );
    const byGit = await sealaunch(["seal", "dns", "A=-", "--pool", "web"], {
      cwd: test.directory,
      input: "x",
      environment: configured,
    });
    expect(byGit.stderr).toBe("");
    const socket = join(test.directory, "agent");
    const agent = execFileSync("ssh-agent", ["-a", socket, "-s"], { encoding: "utf8" });
    try {
      execFileSync("ssh-add", ["-q", join(keys, "bob")], {
        env: { SSH_AUTH_SOCK: socket },
        stdio: "ignore",
      });
      const byAgent = await sealaunch(["seal", "dns", "A=-"], {
        cwd: test.directory,
        input: "y",
        environment: { SSH_AUTH_SOCK: socket },
      });
      expect(byAgent.stderr).toBe("");
      expect((await statementOf(2)).credentials[0]?.sealedBy).toBe(signers.get("bob"));
      const both = await sealaunch(["seal", "dns", "A=-"], {
        cwd: test.directory,
        input: "y",
        environment: { SSH_AUTH_SOCK: socket, ...configured },
      });
      expect(both.stderr).toContain("several keys that you hold");
    } finally {
      process.kill(Number(/SSH_AGENT_PID=(\d+)/u.exec(agent)?.[1]));
    }
  });

  it("lets one of two who seal the same generation win, and tells the other", async () => {
    await seal("dns A=- --pool web", { input: "x" });
    const both = await Promise.all([
      seal("dns A=-", { input: "y" }),
      seal("dns A=-", { input: "z" }),
    ]);
    const statuses = both.map(({ status }) => status);
    // Whoever reads after the other has written makes the next generation: then both win.
    if (statuses.includes(75)) {
      expect(both.find(({ status }) => status === 75)?.stderr).toMatch(refusalLines);
      expect(statuses).toContain(0);
    } else {
      expect((await statementOf(3)).generation).toBe(3);
    }
  });
});
