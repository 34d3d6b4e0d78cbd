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

function recovered({ result, work }: Recovery): string {
  expect(result.stderr).toBe("");
  expect(result.status).toBe(0);
  return readFileSync(join(work, "value"), "utf8");
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
    expect(recovered(follow(exampleCheckout(), otherPath))).toBe("correct horse battery staple");
  });

  it("gets a credential's bytes with age 1.3 or later", ({ skip }) => {
    if (!hasAge13()) skip("age >= 1.3 not on PATH");
    expect(recovered(follow(exampleCheckout(), systemPath))).toBe("correct horse battery staple");
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
