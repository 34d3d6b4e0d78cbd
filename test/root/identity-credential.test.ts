import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readNode } from "../../src/cluster/configuration.ts";
import { readNodeIdentities } from "../../src/cluster/identities.ts";
import { createIdentity, encodeIdentity } from "../../src/crypto/identity.ts";
import { exitStatus, failures, type FailureCode } from "../../src/failure.ts";
import { root, TestCluster } from "../fixtures/cluster.ts";
import { TestNode } from "../fixtures/node.ts";
import { refusalLines, sealaunchPath, type Ended } from "../fixtures/program.ts";

const credential = "/etc/credstore.encrypted/sealaunch-identity";

/** What of the disk these tests change: the machine's /etc, and where systemd has the host key. */
const parts = ["etc-upper", "var-lib-systemd"];

let node: TestNode;
const inNode = (...path: string[]): string => join(node.directory, ...path);

/** A machine whose disk is `disk`, or a new one. */
async function useDisk(disk?: string): Promise<void> {
  await node.ok("sh", ["-c", "umount -R /etc || :; umount /var/lib/systemd || :"]);
  for (const part of [...parts, "etc-work"]) {
    await rm(inNode(part), { recursive: true, force: true });
    if (disk === undefined || part === "etc-work") await mkdir(inNode(part));
    else await cp(join(disk, part), inNode(part), { recursive: true });
  }
  const layers = `lowerdir=/etc,upperdir=${inNode("etc-upper")},workdir=${inNode("etc-work")}`;
  await node.ok("mount", ["-t", "overlay", "overlay", "-o", layers, "/etc"]);
  await node.ok("mount", ["--bind", inNode("etc"), "/etc/nix"]);
  await node.ok("mount", ["--bind", inNode("var-lib-systemd"), "/var/lib/systemd"]);
}

/** A thief's copy of the disk. */
async function copyDisk(): Promise<string> {
  const copy = inNode("copy");
  await rm(copy, { recursive: true, force: true });
  await mkdir(copy);
  for (const part of parts) await cp(inNode(part), join(copy, part), { recursive: true });
  return copy;
}

/**
 * What `action` gives while there is a TPM in software, the same one whenever it has the same name.
 * Without a kernel's resource manager before it every use takes up sessions, so it is begun anew often.
 */
async function withTpm<T>(name: string, action: () => Promise<T>): Promise<T> {
  const state = inNode(name);
  await mkdir(state, { recursive: true });
  await rm(inNode("tpm"), { force: true });
  const words = [
    ...["socket", "--tpm2", "--tpmstate", `dir=${state}`, "--flags", "not-need-init,startup-clear"],
    ...["--server", `type=unixio,path=${inNode("tpm")}`],
    ...["--ctrl", `type=unixio,path=${inNode("tpm.ctrl")}`],
  ];
  const tpm = spawn("swtpm", words, { stdio: "ignore" });
  try {
    while (!(await readdir(node.directory)).includes("tpm")) await setTimeout(10);
    return await action();
  } finally {
    tpm.kill("SIGKILL");
    await once(tpm, "exit");
  }
}

beforeAll(async () => {
  node = await TestNode.create();
  // The real program, told where the TPM is: there is no kernel driver for one in software here.
  const program = inNode("systemd-creds");
  await cp("/usr/bin/systemd-creds", program);
  await writeFile(
    inNode("with-tpm"),
    `#!/bin/sh\nSYSTEMD_TPM2_DEVICE=swtpm:path=${inNode("tpm")} exec ${program} "$@"\n`,
    { mode: 0o755 },
  );
  await node.ok("mount", ["--bind", inNode("with-tpm"), "/usr/bin/systemd-creds"]);
  await node.ok("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", inNode("host")]);
});
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(() => useDisk());

const cli = (...args: string[]): Promise<Ended> =>
  node.run(sealaunchPath, args, { cwd: node.directory });
const create = (...options: string[]): Promise<Ended> =>
  cli("identity", "create", "--into", "/etc/sealaunch", "--host-key", "host", ...options);
const show = (file: string): Promise<Ended> => cli("identity", "show", file, "--recipient");

function expectRefused(ended: Ended, code: FailureCode): void {
  expect(ended.stderr).toMatch(refusalLines);
  expect(ended.status).toBe(exitStatus[failures[code][0]]);
  expect(ended.stdout.toString()).toBe("");
}

describe("a node's own identity", () => {
  it("is encrypted unasked, where systemd looks for it, and it is said that there is no TPM", async () => {
    const made = await create();
    expect(made.stderr).toMatch(
      /^warning: no TPM is needed to decrypt [^\n]*sealaunch-identity: /u,
    );
    expect(made.status).toBe(0);
    expect(made.stdout.toString()).toContain(`wrote ${credential}\n`);
    expect(await readdir(inNode("etc-upper/sealaunch"))).toEqual(["card.json", "card.json.sig"]);
    expect(await node.ok("stat", ["-c", "%a", credential])).toBe("400\n");
    const shown = await show(credential);
    expect(shown.stdout.toString()).toMatch(/^age1pq1/u);
    expect(shown.stdout).toEqual((await show("/etc/sealaunch")).stdout);
    // Nowhere on the disk in the clear.
    const found = await node.run("grep", ["-rl", "AGE-SECRET-KEY", node.directory]);
    expect(found.stdout.toString()).toBe("");
  });

  it("is never made a second time over the first", async () => {
    await create();
    await node.ok("rm", ["-r", "/etc/sealaunch"]);
    expectRefused(await create(), "usage/exists");
  });

  it("is a plain file when asked for, and it is said what that means", async () => {
    const made = await create("--plain-identity");
    expect(made.stderr).toBe(
      "warning: /etc/sealaunch/identity is a plain file: a stolen disk opens all that this node may\n",
    );
    expect(await node.ok("cat", ["/etc/sealaunch/identity"])).toMatch(/^AGE-SECRET-KEY-PQ-1/mu);
  });

  it("isn't made at all if it can't be protected as asked", async () => {
    expectRefused(await create("--with-key", "tpm2"), "identity/unprotected");
    expect(await readdir(inNode("etc-upper"))).not.toContain("sealaunch");
    expect((await create("--with-key", "host", "--plain-identity")).status).toBe(64);
  });

  it("is opened by nothing but its TPM, whoever has the disk", async () => {
    const made = await withTpm("first-tpm", () => create("--with-key", "host+tpm2"));
    expect(made.stderr).toBe("");
    expect(made.stdout.toString()).toContain("TPM and its host key: a copied disk opens nothing");
    const { stdout: recipient } = await show("/etc/sealaunch");
    await useDisk(await copyDisk());
    expectRefused(await show(credential), "identity/undecryptable");
    const elsewhere = await withTpm("second-tpm", () => show(credential));
    expectRefused(elsewhere, "identity/undecryptable");
    const back = await withTpm("first-tpm", () => show(credential));
    expect(back.stdout).toEqual(recipient);
  });
});

describe("a start in place", () => {
  const launch = (): Promise<Ended> =>
    node.inPlace(
      ["--bundle", "dns", "--user", "nobody", "--unit", "dns.service"],
      [`${node.busybox}/bin/sh`, "-c", 'cat "$CREDENTIALS_DIRECTORY/CF_TOKEN"'],
    );
  const encrypt = async (cluster: TestCluster, name: string): Promise<void> => {
    const file = inNode("identity.cred");
    await rm(file, { force: true });
    const line = Buffer.from(encodeIdentity(cluster.node)).toString();
    const words = ["encrypt", "--with-key=host", `--name=${name}`, "-", file];
    await node.ok("/usr/bin/systemd-creds", words, { input: `# a comment\n${line}\n` });
    await node.ok("chmod", ["0400", file]);
    await node.join(cluster, { identity: file });
  };

  it("opens bundles with an encrypted identity, and none with a copy on another machine", async () => {
    await using cluster = await TestCluster.create();
    await encrypt(cluster, "sealaunch-identity");
    expect(await launch()).toEqual({ status: 0, stdout: Buffer.from("canary"), stderr: "" });
    await useDisk();
    expectRefused(await launch(), "identity/undecryptable");
  });

  it("takes no other credential for it", async () => {
    await using cluster = await TestCluster.create();
    await encrypt(cluster, "something-else");
    expectRefused(await launch(), "identity/undecryptable");
  });

  it("takes no altered one", async () => {
    await using cluster = await TestCluster.create();
    await encrypt(cluster, "sealaunch-identity");
    const text = await readFile(inNode("identity.cred"), "utf8");
    const altered = text.replace(/.(?=.{8}\n*$)/u, (letter) => (letter === "A" ? "B" : "A"));
    await writeFile(inNode("identity.cred"), altered);
    expectRefused(await launch(), "identity/undecryptable");
  });
});

describe("the agent's identity", () => {
  it("is what systemd has decrypted for it, before what node.json names", async () => {
    await using cluster = await TestCluster.create();
    await node.join(cluster);
    const configuration = await readNode(node.configuration);
    expect(configuration.configuration.roots).toEqual([root.key]);
    const given = createIdentity();
    const directory = inNode("credentials");
    await mkdir(directory, { recursive: true });
    await rm(join(directory, "sealaunch-identity"), { force: true });
    const read = async (from?: string): Promise<string> =>
      (await readNodeIdentities(configuration, from))[0]?.recipient ?? "";
    expect(await read()).toBe(cluster.node.recipient);
    expect(await read(directory)).toBe(cluster.node.recipient);
    await writeFile(join(directory, "sealaunch-identity"), encodeIdentity(given));
    expect(await read(directory)).toBe(given.recipient);
  });
});
