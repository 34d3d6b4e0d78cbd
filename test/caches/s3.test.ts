import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { sealaunch, type Ended } from "../fixtures/program.ts";
import { Publisher } from "../fixtures/published.ts";
import { PutServer } from "../fixtures/put-server.ts";
import { freePort, TestStore } from "../fixtures/store.ts";
import { SigningDoor } from "../fixtures/sigv4.ts";

let publisher: Publisher;
let server: ChildProcess;
let door: SigningDoor;
let port: number;
let stored: string;

/** What s3rver knows. It checks no signatures of version 4: that is the door's before it. */
const login = { AWS_ACCESS_KEY_ID: "S3RVER", AWS_SECRET_ACCESS_KEY: "S3RVER" };

beforeAll(async () => {
  // In three parts.
  publisher = new Publisher(40_000_000);
  stored = join(publisher.store.root, "s3");
  mkdirSync(stored);
  const behind = await freePort();
  door = await SigningDoor.open(behind, login.AWS_ACCESS_KEY_ID, login.AWS_SECRET_ACCESS_KEY);
  ({ port } = door);
  const options = ["-d", stored, "-a", "127.0.0.1", "-p", String(behind), "-s"];
  const program = fileURLToPath(import.meta.resolve("s3rver/bin/s3rver.js"));
  server = spawn(process.execPath, [program, ...options, "--configure-bucket", "nix"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  for (let tries = 0; tries < 200; tries++) {
    const answer = fetch(`http://127.0.0.1:${String(behind)}/nix`);
    if (
      (await answer.then(
        ({ status }) => status,
        () => 0,
      )) === 200
    )
      return;
    await pause(50);
  }
  throw new Error("s3rver doesn't answer");
});
afterAll(async () => {
  await door[Symbol.asyncDispose]();
  server.kill("SIGTERM");
  await once(server, "close");
  publisher[Symbol.dispose]();
});

const at = (to: number): string => `s3://nix?endpoint=127.0.0.1:${String(to)}&scheme=http`;

function publish(
  to: string,
  environment: Readonly<Record<string, string>>,
  more: readonly string[] = [],
): Promise<Ended> {
  return sealaunch(publisher.command(to, more), { cwd: publisher.store.root, environment });
}

describe("a bucket", () => {
  it("is refused who signs with another key, or with none, and stays as it was", async () => {
    const wrong = { ...login, AWS_SECRET_ACCESS_KEY: "canary" };
    const ended = expectRefused(await publish(at(port), wrong), "cache/forbidden");
    expect(ended.stderr).toContain("403");
    expect(ended.stderr).not.toContain("canary");
    const none = { AWS_EC2_METADATA_DISABLED: "true" };
    expectRefused(await publish(at(port), none), "cache/forbidden");
    expect(readdirSync(join(stored, "nix")).filter((name) => name.includes("narinfo"))).toEqual([]);
  });

  it("is filled, and another machine's Nix fetches all of it, signatures required", async () => {
    expectDone(await publish(at(port), login));
    using other = new TestStore();
    const reading = `http://127.0.0.1:${String(port)}/nix`;
    const said = await other.fetch(publisher.top, reading, [publisher.key.open]);
    expect(said).not.toMatch(/error|modified|disappeared/u);
    const again = expectDone(await publish(at(port), login)).toString();
    expect(again).toBe(`nothing to do: ${at(port)} has 4 store paths\n`);
  });

  it("takes a profile of AWS's own files", async () => {
    const HOME = join(publisher.store.root, "home");
    mkdirSync(join(HOME, ".aws"), { recursive: true });
    const lines = ["[ci]", "aws_access_key_id = S3RVER", "aws_secret_access_key = S3RVER", ""];
    writeFileSync(join(HOME, ".aws/credentials"), lines.join("\n"));
    expect(existsSync(join(HOME, ".aws/credentials"))).toBe(true);
    expectDone(await publish(`${at(port)}&profile=ci`, { HOME }));
    const ended = await publish(`${at(port)}&profile=other`, { HOME });
    expectRefused(ended, "cache/forbidden");
  });

  it("that isn't there is named", async () => {
    const ended = await publish(at(port).replace("nix", "none"), login);
    expect(expectRefused(ended, "cache/failed").stderr).toContain("NoSuchBucket");
  });

  it.for([
    "s3://nix?color=red",
    "s3://nix/below",
    "s3://nix?scheme=ftp",
    "s3://nix?region=a&region=b",
  ])("isn't written %s", async (address) => {
    expectRefused(await publish(address, login), "cache/unknown");
  });
});

describe("a store that speaks like S3, and errs", () => {
  it.for([
    ["answers 503 every time", 503, "cache/failed"],
    ["breaks off every time", "reset", "cache/unreachable"],
    ["falls silent", "silent", "cache/unreachable"],
    ["is full", 507, "cache/full"],
  ] as const)("and %s is told so", async ([, fault, code]) => {
    await using erring = await PutServer.start();
    erring.fault = () => fault;
    const to = at(Number(new URL(erring.url).port));
    expectRefused(await publish(to, login, ["--timeout", "1"]), code);
  });

  it("isn't there", async () => {
    expectRefused(await publish(at(9), login), "cache/unreachable");
  });
});
