import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeManifest } from "../src/agent/manifest.ts";
import { projectRoot } from "./source.ts";

// The wrapper as systemd starts it, with credentials that arrived, and with such as didn't.

const wrapper = join(projectRoot, "wrapper/bin/sealaunch");
const refusal = /^error: [^\n]+\nhint: [^\n]+\n$/u;

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), String.raw`cred\x2d`));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const value = Buffer.from([...Array.from({ length: 255 }, (_, byte) => byte + 1), 10, 10]);

/** Puts the credentials there, and the manifest of a unit with these commands. */
function deliver(commands: readonly string[], files: Readonly<Record<string, Uint8Array>>): Buffer {
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), bytes);
  const manifest = Buffer.from(encodeManifest(commands, new Map(Object.entries(files))));
  writeFileSync(join(directory, "sealaunch"), manifest);
  return manifest;
}

interface Outcome {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

function run(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  shell: readonly string[] = [],
): Outcome {
  const [program = "", ...args] = [...shell, wrapper, ...words];
  const { status, stdout, stderr } = spawnSync(program, args, {
    env: { CREDENTIALS_DIRECTORY: directory, ...environment },
  });
  return { status, stdout, stderr: stderr.toString() };
}

const signals = [
  ["signal", "HUP"],
  ["signal:3/60", "HUP"],
  ["signal=USR2", "USR2"],
  ["signal=WINCH:/60", "WINCH"],
  ["reload", "none"],
] as const;

/** What a process is told by a `reload` of the wrapper: the signal's name, or none. */
function tell(options: readonly string[], shell: readonly string[]): Outcome & { signal: string } {
  const script = `
    told=none
    for signal in HUP USR1 USR2 WINCH; do trap "told=$signal" $signal; done
    MAINPID=$$ "$@"
    status=$?
    echo $told
    exit $status`;
  const args = ["-c", script, "sh", ...shell, wrapper, "reload", "--bundle", "dns", ...options];
  const { status, stdout, stderr } = spawnSync("/bin/sh", args, {
    env: { CREDENTIALS_DIRECTORY: directory },
  });
  return { status, stdout, stderr: stderr.toString(), signal: stdout.toString().trim() };
}

const show = ["run", "--bundle", "dns", "--", "/usr/bin/env", "-0"];
const asked = "run --bundle dns -- /usr/bin/env";

describe.for([["the machine's sh"], ["bash", "/bin/bash", "--posix"]])(
  "the wrapper, by %s",
  ([, ...shell]) => {
    it("becomes the program with the environment that it was given", () => {
      deliver([asked], { A: value });
      const odd = { PWD: "/odd", SHLVL: "7", IFS: "x", QUOTE: "it's\n", OPTIND: "3", EMPTY: "" };
      const found = run(show, odd, shell).stdout.toString().split("\0").filter(Boolean).toSorted();
      const given = Object.entries({ CREDENTIALS_DIRECTORY: directory, ...odd });
      expect(found).toEqual(given.map(([name, text]) => `${name}=${text}`).toSorted());
      const plain = run(show, {}, shell).stdout.toString();
      expect(plain).toBe(`CREDENTIALS_DIRECTORY=${directory}\0`);
    });

    it("sets variables to credentials, byte for byte", () => {
      const words = ["run", "--bundle", "dns", "--env", "V=A", "--", "/usr/bin/env", "-0"];
      deliver(["run --bundle dns --env V=A -- /usr/bin/env"], { A: value });
      const { stdout } = run(words, {}, shell);
      const expected = Buffer.concat([Buffer.from("V="), value, Buffer.from("\0")]);
      expect(stdout.includes(expected)).toBe(true);
    });

    it("passes a program on whose path has a '=' or a blank", () => {
      const program = join(directory, "a=b c");
      writeFileSync(program, "#!/bin/sh\necho ran\n", { mode: 0o755 });
      deliver([`run -- ${program}`], {});
      expect(run(["run", "--", program], { OPTIND: "3" }, shell).stdout.toString()).toBe("ran\n");
    });

    it("sends a service the signal that it is to be told by, once everything has arrived anew", () => {
      for (const [change, signal] of signals) {
        deliver([`reload --bundle dns --on-change ${change}`], { A: value });
        const told = tell(["--on-change", change], shell);
        expect(told.stderr).toBe("");
        expect(told).toMatchObject({ status: 0, signal });
      }
    });

    it("tells it nothing of what hasn't arrived whole, or wasn't decided for it", () => {
      const change = ["--on-change", "signal=USR2"];
      const manifest = deliver([`reload --bundle dns ${change.join(" ")}`], { A: value });
      writeFileSync(join(directory, "A"), "");
      expect(tell(change, shell)).toMatchObject({ status: 75, signal: "none" });
      expect(tell(change, shell).stderr).toMatch(/\nhint: systemctl reload /u);
      writeFileSync(join(directory, "A"), value);
      writeFileSync(join(directory, "sealaunch"), manifest.subarray(0, -5));
      expect(tell(change, shell)).toMatchObject({ status: 75, signal: "none" });
      writeFileSync(join(directory, "sealaunch"), manifest);
      const other = tell(["--on-change", "signal=USR1"], shell);
      expect(other).toMatchObject({ status: 75, signal: "none" });
      expect(other.stderr).toContain("the unit was changed while it was reloaded");
    });

    it("says so where the signal can't be sent", () => {
      deliver(["reload --on-change signal"], {});
      const { status, stderr } = run(["reload", "--on-change", "signal"], {}, shell);
      expect(stderr).toMatch(refusal);
      expect(status).toBe(71);
    });
  },
);

describe("the wrapper starts nothing", () => {
  it.for<[string, (manifest: Buffer) => void, number]>([
    [
      "if a credential is missing",
      () => {
        rmSync(join(directory, "A"));
      },
      78,
    ],
    [
      "if a credential is empty",
      () => {
        writeFileSync(join(directory, "A"), "");
      },
      75,
    ],
    [
      "if a credential was cut short",
      () => {
        writeFileSync(join(directory, "A"), value.subarray(1));
      },
      75,
    ],
    [
      "if there is no manifest",
      () => {
        rmSync(join(directory, "sealaunch"));
      },
      78,
    ],
    [
      "if another command was decided on",
      () => {
        deliver(["run --bundle dns@2+ -- /usr/bin/env"], { A: value });
      },
      75,
    ],
    [
      "if the command was decided on for another program",
      () => {
        deliver(["run --bundle dns -- /usr/bin/true"], { A: value });
      },
      75,
    ],
  ])("%s", ([, spoil, status]) => {
    const manifest = deliver([asked], { A: value });
    spoil(manifest);
    const ended = run(show);
    expect(ended.stderr).toMatch(refusal);
    expect(ended.stdout.toString()).toBe("");
    expect(ended.status).toBe(status);
  });

  it("if the manifest was cut short, wherever", () => {
    const manifest = deliver([asked], { A: value, B: value });
    for (let size = 0; size < manifest.length - 1; size += 3) {
      writeFileSync(join(directory, "sealaunch"), manifest.subarray(0, size));
      const { status, stdout } = run(show);
      expect(stdout.toString()).toBe("");
      expect(status).toBe(75);
    }
  });

  it.for<[string, readonly string[]]>([
    ["for a verb that it doesn't know", ["launch"]],
    ["for an option that it doesn't know", ["run", "--user", "root", "--", "/bin/true"]],
    ["without a program", ["run", "--bundle", "dns"]],
    ["without anything", []],
  ])("%s", ([, words]) => {
    deliver([asked], { A: value });
    const ended = run(words);
    expect(ended.stderr).toMatch(refusal);
    expect(ended.status).toBe(64);
  });

  it("but ends well where there is only to check", () => {
    deliver(["check --bundle dns"], { A: value });
    expect(run(["check", "--bundle", "dns"])).toEqual({
      status: 0,
      stdout: Buffer.from(""),
      stderr: "",
    });
  });
});
