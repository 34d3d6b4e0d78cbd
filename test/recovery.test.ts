import { randomBytes } from "node:crypto";
import { execFileSync, spawnSync, type SpawnSyncReturns } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { sealaunch } from "./fixtures/program.ts";

const here = import.meta.dirname;
const page = readFileSync(join(here, "../docs/recovery.md"), "utf8");
const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gmsu)].map((match) => match[1] ?? "");
const scratch = mkdtempSync(join(tmpdir(), "sealaunch-recovery-"));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

/** A directory with an `age` over npm's age-encryption, to be put before PATH. */
function otherAge(): string {
  const directory = join(scratch, "bin");
  mkdirSync(directory, { recursive: true });
  const file = join(directory, "age");
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${join(here, "age.ts")}' "$@"\n`);
  chmodSync(file, 0o755);
  return directory;
}

function exampleCheckout(): string {
  const checkout = mkdtempSync(join(scratch, "checkout-"));
  cpSync(join(here, "example"), checkout, { recursive: true });
  return checkout;
}

/** A checkout that the built program made: rosters, two pools, two generations of a bundle. */
async function freshCheckout(value: Uint8Array): Promise<string> {
  const checkout = mkdtempSync(join(scratch, "checkout-"));
  for (const name of ["me", "host"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(checkout, name)]);
  }
  writeFileSync(join(checkout, "first"), "not yet");
  writeFileSync(join(checkout, "second"), value);
  const hostKey = execFileSync("ssh-keygen", ["-l", "-f", join(checkout, "host.pub")]);
  const fingerprint = hostKey.toString().split(" ")[1] ?? "";
  for (const line of [
    "identity create operator.identity",
    "init --root me.pub --operator operator.identity --yes",
    "identity create --into node --node n1 --host-key host --state state",
    "roster add-pool web --signer me --yes",
    "roster add-pool db --signer me --yes",
    `roster add-node node --pool web --signer me --fingerprint ${fingerprint} --yes`,
    `roster add-node node --pool db --signer me --fingerprint ${fingerprint} --yes`,
    "roster add-signer me me.pub --name dns/ --signer me --yes",
    "seal dns/cloudflare CF_TOKEN=first OTHER=first --pool web --pool db --signer me",
    "seal dns/cloudflare CF_TOKEN=second --signer me",
  ]) {
    const { status, stderr } = await sealaunch(line.split(" "), { cwd: checkout });
    expect(`${line}: ${String(status)} ${stderr}`).toBe(`${line}: 0 `);
  }
  return checkout;
}

interface Recovery {
  readonly result: SpawnSyncReturns<string>;
  readonly work: string;
}

/** Runs the page's blocks but for the first, whose variables are set here. */
function follow(checkout: string, path: string): Recovery {
  const work = mkdtempSync(join(scratch, "work-"));
  const variables = {
    checkout,
    identity: join(checkout, "operator.identity"),
    bundle: "dns/cloudflare",
    credential: "CF_TOKEN",
    work,
  };
  for (const name of Object.keys(variables))
    expect(blocks[0]).toMatch(new RegExp(`^${name}=`, "mu"));
  const result = spawnSync("sh", ["-eu"], {
    input: blocks.slice(1).join("\n"),
    env: { PATH: path, ...variables },
    encoding: "utf8",
  });
  return { result, work };
}

function recovered({ result, work }: Recovery): Buffer {
  expect(result.stderr).toBe("");
  expect(result.status).toBe(0);
  return readFileSync(join(work, "value"));
}

/** Whether PATH has an age that knows post-quantum identities. */
function hasAge13(): boolean {
  try {
    const version = /^v?1\.([0-9]+)\./u.exec(
      execFileSync("age", ["--version"], { encoding: "utf8" }),
    );
    return Number(version?.[1] ?? 0) >= 3;
  } catch {
    return false;
  }
}

const systemPath = process.env["PATH"] ?? "";
const otherPath = `${otherAge()}:${systemPath}`;

describe("docs/recovery.md", () => {
  it("gets a credential's bytes with ssh-keygen, standard tools and npm's age-encryption", () => {
    const value = recovered(follow(exampleCheckout(), otherPath));
    expect(value.toString()).toBe("correct horse battery staple");
  });

  it("gets the newest bytes from what the commands wrote, whatever bytes they are", async () => {
    const value = randomBytes(100_000);
    const checkout = await freshCheckout(value);
    expect(recovered(follow(checkout, otherPath)).equals(value)).toBe(true);
    if (hasAge13()) expect(recovered(follow(checkout, systemPath)).equals(value)).toBe(true);
  });

  it("gets a credential's bytes with age 1.3 or later", ({ skip }) => {
    if (!hasAge13()) skip("age >= 1.3 not on PATH");
    const value = recovered(follow(exampleCheckout(), systemPath));
    expect(value.toString()).toBe("correct horse battery staple");
  });

  it.each([
    ["roster", "keys/roster/1/roster.json"],
    ["pool file", "keys/pools/web/1/pool.json"],
    ["statement", "secrets/bundles/dns/cloudflare/0.1/statement.json"],
    ["payload", "secrets/bundles/dns/cloudflare/values/*"],
  ])("stops at an altered %s", (_, path) => {
    const checkout = exampleCheckout();
    const [folder, name] = [dirname(path), basename(path)];
    const file = name === "*" ? (readdirSync(join(checkout, folder))[0] ?? "") : name;
    appendFileSync(join(checkout, folder, file), "\n");
    const { result, work } = follow(checkout, otherPath);
    expect(result.status).not.toBe(0);
    expect(readdirSync(work)).not.toContain("value");
  });
});
