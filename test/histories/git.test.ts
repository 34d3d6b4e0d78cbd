import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { exitStatus, failures } from "../../src/failure.ts";
import { Checkout } from "../fixtures/checkout.ts";
import { Repository } from "../fixtures/repository.ts";
import { workflowStep } from "../fixtures/workflow.ts";
import { projectRoot } from "../source.ts";

const checkout = new Checkout(() => new Repository());
const must = (command: string): string => checkout.place.mustRun(command, checkout.here);

/** The committed objects, as paths below the checkout. */
const objects = (): string[] => must("git ls-files -z keys secrets").split("\0").filter(Boolean);

describe("signed bytes in git", () => {
  it("survive a checkout that turns line ends, and a commit from there", () => {
    must("git clone -q -c core.autocrlf=true -c core.eol=crlf . crlf");
    for (const path of objects()) {
      expect(readFileSync(checkout.at("crlf", path))).toEqual(readFileSync(checkout.at(path)));
    }
    must("cd crlf && sealaunch seal dns --generate OTHER && sealaunch verify");
    must(
      `cd crlf && git config user.name bea && git config user.email b@example.org && ${checkout.place.commit("sealed")} && cd .. && git pull -q --ff-only crlf main`,
    );
    expect(must("sealaunch verify --since HEAD~1")).toMatch(/^bundle dns +3 +good$/mu);
  });

  it("give tools that mend ends of lines and files nothing to mend, but for entries", () => {
    for (const path of objects().filter((one) => !one.startsWith("keys/entries/"))) {
      const bytes = readFileSync(checkout.at(path));
      if (isTextToPreCommit(bytes)) expect(bytes.toString("latin1")).toMatch(/^(?:.*\S\n)+$/u);
    }
  });

  it("are found by verify where such a tool mended an entry", () => {
    const entries = objects().filter((one) => one.startsWith("keys/entries/"));
    expect(entries.map((one) => isTextToPreCommit(readFileSync(checkout.at(one))))).toContain(true);
    appendFileSync(checkout.at(entries[0] ?? ""), "\n");
    const { status, stderr } = checkout.place.run("sealaunch verify", checkout.here);
    expect(stderr).toMatch(
      /^error: entry of \w+ \w+ in pool \w+, entries\/\S+: it has \d+ bytes, and should have \d+\n/u,
    );
    expect(status).toBe(exitStatus[failures["payload/altered"][0]]);
  });
});

/** What the framework pre-commit takes for text: nothing of the first KiB that text hasn't. */
function isTextToPreCommit(bytes: Uint8Array): boolean {
  const kept = new Set([7, 8, 9, 10, 11, 12, 13, 27]);
  return bytes.subarray(0, 1024).every((byte) => (byte >= 0x20 && byte !== 0x7f) || kept.has(byte));
}

describe("docs/ci/pre-commit", () => {
  beforeEach(() => {
    must(`cp ${join(projectRoot, "docs/ci/pre-commit")} .git/hooks/pre-commit`);
  });

  it("lets good changes through, and what isn't about them", () => {
    must(`sealaunch seal dns --generate OTHER && ${checkout.place.commit("sealed")}`);
    must(`echo text > README && ${checkout.place.commit("text")}`);
    expect(must("git log --format=%s")).toBe("text\nsealed\none\n");
  });

  it("judges what is staged, not what lies in the work tree", () => {
    must("sealaunch seal dns --generate OTHER && git add secrets/bundles/dns/0.3");
    const { status, stderr } = checkout.place.run("git commit -q -m half", checkout.here);
    expect(stderr).toMatch(/^error: .+ has no bundles\/dns\/values\/.+\nhint: .+\n$/mu);
    expect(status).not.toBe(0);
    expect(must("git log --format=%s")).toBe("one\n");
  });

  it("refuses an identity", () => {
    must("git add --force operator.identity");
    const { status, stderr } = checkout.place.run("git commit -q -m leak", checkout.here);
    expect(stderr).toMatch(/^error: an identity would be committed: operator\.identity \nhint: /u);
    expect(status).not.toBe(0);
  });
});

describe("docs/ci/github.yml", () => {
  const change = (): string =>
    workflowStep("Judge the change by the root keys that hold without it");
  const ended = (script: string): { status: number | null; stderr: string } =>
    checkout.place.run(`set -e\nBASE=$(git rev-parse main)\n${script}`, checkout.here);

  it("lets a change through that seals", () => {
    must(
      `git checkout -q -b feature && sealaunch seal dns --generate OTHER && ${checkout.place.commit("sealed")}`,
    );
    expect(ended(change())).toMatchObject({ status: 0, stderr: "" });
  });

  it("refuses a change that brings its own root keys and a roster that they signed", () => {
    must(
      "git checkout -q -b takeover && ssh-keygen -q -t ed25519 -N '' -f eve && rm -r sealaunch.json keys secrets",
    );
    must(
      "sealaunch identity create eve.operator && sealaunch init --root eve.pub --operator eve.operator --yes",
    );
    must("rm eve eve.operator");
    expect(ended(change()).status).toBe(exitStatus[failures["signature/unknown-signer"][0]]);
  });

  it("refuses a change that rewrites what was signed", () => {
    must("git checkout -q -b rewrite && rm -r secrets/bundles/dns/0.2");
    const { status, stderr } = ended(change());
    expect(stderr).toContain("bundle dns was at 2");
    expect(status).toBe(exitStatus[failures["history/rewritten"][0]]);
  });

  it("is content each day for as long as nothing ends soon", () => {
    const daily = workflowStep("Judge what is there, and for how long it holds");
    expect(ended(daily)).toMatchObject({ status: 0, stderr: "" });
    must("sealaunch seal dns --expires 20d");
    expect(ended(daily).status).toBe(exitStatus[failures["date/ends-soon"][0]]);
  });
});
