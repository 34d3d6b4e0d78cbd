// Sealing, opening and verifying one credential for pools of 1, 100 and 10,000 members, beside age
// and minisign, each as a whole process:
//
//   npm run bench:seal [ROUNDS]
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeIdentity, identityOfSeed } from "../src/crypto/identity.ts";
import { parseSignerKey } from "../src/formats/sshsig/public-key.ts";
import { hostKey, root, TestCluster } from "../test/fixtures/cluster.ts";
import { sealaunchPath } from "../test/fixtures/program.ts";
import { interleave, report, reportMachine, type Variant } from "./measure.ts";

const rounds = Number(process.argv[2] ?? 10);
reportMachine(rounds);
for (const members of [1, 100, 10_000]) {
  await using cluster = await TestCluster.create();
  const at = (name: string): string => join(cluster.directory, name);
  await becomePool(cluster, members);

  // Debian's age has classical keys only: X25519, where ours are X25519 and ML-KEM-768.
  execFileSync("age-keygen", ["-o", at("age-identity")], { stdio: "ignore" });
  const recipient = execFileSync("age-keygen", ["-y", at("age-identity")], { encoding: "utf8" });
  writeFileSync(at("recipients"), recipient.repeat(members));
  writeFileSync(at("token"), "canary");
  execFileSync("minisign", ["-G", "-W", "-p", at("m.pub"), "-s", at("m.key")], { stdio: "ignore" });
  const age = ["age", "-R", at("recipients"), "-o", at("token.age"), at("token")];
  const unage = ["age", "-d", "-i", at("age-identity"), at("token.age")];
  const sign = ["minisign", "-S", "-W", "-s", at("m.key"), "-m", at("token")];
  const check = ["minisign", "-V", "-p", at("m.pub"), "-m", at("token")];
  for (const [program = "", ...args] of [age, sign]) execFileSync(program, args);

  const ours = (...args: string[]): string[] => [sealaunchPath, ...args];
  const cwd = cluster.directory;
  const variants: Variant[] = [
    { name: "age, seal", command: age },
    { name: "age, open", command: unage },
    { name: "minisign, sign", command: sign },
    { name: "minisign, verify", command: check },
    {
      name: "sealaunch seal (signs too)",
      cwd,
      command: ours("seal", "dns", "CF_TOKEN=token", "--signer", at("signer")),
    },
    {
      name: "sealaunch open (verifies too)",
      cwd,
      command: ours("open", "dns", "--identity", at("operator")),
    },
    { name: "sealaunch verify", cwd, command: ours("verify", "dns") },
  ];
  report(`${String(members)} members`, interleave(variants, rounds), "age, seal");
}

/** Gives the cluster a pool of that many members, a signer with a real SSH key, and files to read. */
async function becomePool(cluster: TestCluster, count: number): Promise<void> {
  const at = (name: string): string => join(cluster.directory, name);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at("signer")]);
  const line = execFileSync("ssh-keygen", ["-y", "-f", at("signer")], { encoding: "utf8" });
  const signer = parseSignerKey(line, "the signer");
  await cluster.withRoster({ signers: [{ name: "ada", signer, names: ["dns"], expires: null }] });
  const members = Array.from({ length: count }, (_, index) => {
    const seed = new Uint8Array(32);
    new DataView(seed.buffer).setUint32(0, index);
    const node = `n${String(index).padStart(5, "0")}`;
    return { node, recipient: identityOfSeed(seed).recipient, hostKey: hostKey.key };
  });
  await cluster.withPool({}, undefined, members);
  mkdirSync(at("state"));
  writeFileSync(at("operator"), encodeIdentity(cluster.operator), { mode: 0o400 });
  const trust = { cluster: cluster.roster({}).cluster, source: "dir:.", roots: [root.key] };
  writeFileSync(at("sealaunch.json"), JSON.stringify({ ...trust, threshold: 1 }));
  writeFileSync(at("token"), "canary");
  rmSync(cluster.path("bundles"), { recursive: true });
  execFileSync(
    sealaunchPath,
    ["seal", "dns", "CF_TOKEN=token", "--pool", "web", "--in-place", "--signer", at("signer")],
    {
      cwd: cluster.directory,
      env: { PATH: "/usr/bin:/bin", HOME: "/nonexistent", XDG_STATE_HOME: at("state") },
    },
  );
}
