import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exitStatus, failures, type FailureCode } from "../../src/failure.ts";
import { refusalLines } from "../fixtures/program.ts";
import { Workplace, type Outcome } from "../fixtures/worked-example.ts";

let place: Workplace;
beforeEach(() => {
  place = new Workplace();
});
afterEach(() => {
  place[Symbol.dispose]();
});

/** Begins with the worked example up to the first command that begins with `end`. */
function follow(end: string): void {
  place[Symbol.dispose]();
  place = Workplace.followed(end);
}

const files = (): string[] =>
  readdirSync(place.directory, { recursive: true, encoding: "utf8" }).toSorted();

/** The command is refused with that code, and nothing in the directory is another. */
function expectRefused(command: string, code: FailureCode): Outcome {
  const before = files();
  const ended = place.run(command);
  expect(ended.stderr).toMatch(refusalLines);
  expect(ended.status).toBe(exitStatus[failures[code][0]]);
  expect(files()).toEqual(before);
  return ended;
}

describe("init", () => {
  it("overwrites no cluster: usage/exists", () => {
    follow("ssh-keygen");
    expectRefused("sealaunch init --operator operator.identity --yes", "usage/exists");
  });

  it("takes no RSA key for a root: ssh-key/unsupported", () => {
    place.run("sealaunch identity create operator.identity && ssh-keygen -q -t rsa -N '' -f rsa");
    const ended = expectRefused(
      "sealaunch init --root rsa.pub --operator operator.identity --yes",
      "ssh-key/unsupported",
    );
    expect(ended.stderr).toContain("ssh-rsa");
  });

  it("takes no file that is no key: ssh-key/malformed", () => {
    place.run("sealaunch identity create operator.identity && echo nonsense > no.pub");
    expectRefused(
      "sealaunch init --root no.pub --operator operator.identity --yes",
      "ssh-key/malformed",
    );
  });

  it("takes no classical recipient for an operator: recipient/malformed", () => {
    const classical = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg";
    expectRefused(`sealaunch init --operator ${classical} --yes`, "recipient/malformed");
  });

  it("says where nobody can be asked that it wasn't told to go on", () => {
    place.run("sealaunch identity create operator.identity");
    expectRefused("sealaunch init --operator operator.identity", "usage/invalid");
  });

  it("writes nothing when the answer at the terminal is no: usage/declined", () => {
    place.run("sealaunch identity create operator.identity");
    const before = files();
    const asked =
      "printf 'n\\n' | script -qec 'sealaunch init --operator operator.identity' /dev/null";
    const { status, stdout } = place.run(
      `bash -c "set -o pipefail; ${asked.replaceAll('"', '\\"')}"`,
    );
    expect(stdout).toContain("the answer was no");
    expect(status).toBe(exitStatus[failures["usage/declined"][0]]);
    expect(files().filter((name) => name !== "typescript")).toEqual(before);
  });

  it("says which key failed where ssh-keygen doesn't sign: signer/failed", () => {
    place.run("sealaunch identity create operator.identity");
    rmSync(join(place.home, ".ssh/id_ed25519"));
    expectRefused("sealaunch init --operator operator.identity --yes", "signer/failed");
  });
});

describe("a roster that needs two root keys", () => {
  it("counts for nothing until the second has signed: roster/pending", () => {
    place.run(
      "sealaunch identity create operator.identity && ssh-keygen -q -t ed25519 -N '' -f second",
    );
    const init =
      "sealaunch init --root ~/.ssh/id_ed25519.pub --root second.pub --threshold 2 --operator operator.identity --yes";
    expect(place.run(`${init} --signer ~/.ssh/id_ed25519.pub`).stdout).toContain("roster sign");
    expectRefused("sealaunch verify", "roster/pending");
    expect(place.run("sealaunch roster sign --signer second.pub --yes").status).toBe(0);
    expect(place.run("sealaunch verify").status).toBe(0);
  });
});

describe("roster", () => {
  it("adds no pool twice: usage/exists", () => {
    follow("sealaunch roster add-node");
    expectRefused("sealaunch roster add-pool web --yes", "usage/exists");
  });

  it("adds no node whose host key is another, or isn't compared: node/unverified", () => {
    follow("sealaunch roster add-node");
    expectRefused("sealaunch roster add-node n1 --pool web --yes", "node/unverified");
    const other = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const ended = expectRefused(
      `sealaunch roster add-node n1 --pool web --fingerprint ${other} --yes`,
      "node/unverified",
    );
    expect(ended.stderr).toContain(other);
    place.run(
      "ssh-keygen -q -t ed25519 -N '' -f x && echo \"n1 $(cut -d ' ' -f 1,2 x.pub)\" > known_hosts",
    );
    expectRefused(
      "sealaunch roster add-node n1 --pool web --known-hosts known_hosts --yes",
      "node/unverified",
    );
  });

  it("adds no node whose card was altered: signature/invalid", () => {
    follow("sealaunch roster add-node");
    place.run("sed -i 's/\"n1\"/\"n9\"/' n1/card.json && sed -i 's/^n1 /n9 /' known_hosts");
    expectRefused(
      "sealaunch roster add-node n1 --pool web --known-hosts known_hosts --yes",
      "signature/invalid",
    );
  });

  it("lets one of two managers who begin a pool at once win, whom its node and operator can follow", () => {
    follow("sealaunch roster add-node");
    const add = "sealaunch roster add-node n1 --pool web --known-hosts known_hosts --yes";
    const { stdout } = place.run(`(${add}; echo $?) & (${add}; echo $?) & wait`);
    const statuses = stdout.split("\n").filter((line) => /^\d+$/u.test(line));
    const conflict = exitStatus[failures["generation/conflict"][0]];
    expect(statuses).toHaveLength(2);
    expect(statuses).toContain("0");
    for (const status of statuses) expect(["0", String(conflict)]).toContain(status);
    place.run("sealaunch roster add-signer ann ~/.ssh/id_ed25519.pub --name dns --yes");
    place.run("printf %s hunter2 | sealaunch seal dns A=- --pool web");
    for (const identity of ["n1/identity", "operator.identity"]) {
      const opened = place.run(`sealaunch open dns A --identity ${identity}`);
      expect(opened).toEqual({ status: 0, stdout: "hunter2", stderr: "" });
    }
  });

  it("lets nobody who holds no root key name a signer: signer/none", () => {
    follow("sealaunch roster add-signer");
    place.run("ssh-keygen -q -t ed25519 -N '' -f other");
    expectRefused(
      "sealaunch roster add-signer eve other.pub --name dns --signer other.pub --yes",
      "signer/none",
    );
  });

  it("lets one of two who make the same roster win, and tells the other: generation/conflict", () => {
    follow("sealaunch roster add-signer");
    place.run("for i in 1 2; do ssh-keygen -q -t ed25519 -N '' -f s$i; done");
    const add = (number: number): string =>
      `(sealaunch roster add-signer s${String(number)} s${String(number)}.pub --name dns --yes; echo $?)`;
    const { stdout, stderr } = place.run(`${add(1)} & ${add(2)} & wait`);
    const statuses = stdout
      .split("\n")
      .filter((line) => /^\d+$/u.test(line))
      .map(Number)
      .toSorted((a, b) => a - b);
    expect(statuses[0]).toBe(0);
    // One that began after the other had ended adds to what that one made.
    if (statuses[1] !== 0) {
      expect(statuses[1]).toBe(exitStatus[failures["generation/conflict"][0]]);
      expect(stderr).toMatch(refusalLines);
    }
    expect(place.run("sealaunch verify").status).toBe(0);
  });
});

describe("verify", () => {
  it("finds a member list that isn't the one that was signed: members/hash", () => {
    follow("sealaunch roster add-signer");
    place.run("echo >> keys/pools/web/1/members.json");
    const { status, stderr } = place.run("sealaunch verify");
    expect(stderr).toMatch(refusalLines);
    expect(status).toBe(exitStatus[failures["members/hash"][0]]);
  });

  it("says what it can't read of a source: source/unreadable", () => {
    follow("sealaunch roster add-signer");
    rmSync(join(place.directory, "keys/roster"), { recursive: true });
    mkdirSync(join(place.directory, "keys"), { recursive: true });
    // A name too long for any file system, as the one error that root meets too.
    const configuration = JSON.parse(place.run("cat sealaunch.json").stdout) as object;
    writeFileSync(
      join(place.directory, "sealaunch.json"),
      JSON.stringify({ ...configuration, source: `dir:${"x".repeat(300)}` }),
    );
    const { status, stderr } = place.run("sealaunch verify");
    expect(stderr).toMatch(refusalLines);
    expect(status).toBe(exitStatus[failures["source/unreadable"][0]]);
  });
});
