import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { exitStatus, failures } from "../../src/failure.ts";
import { decodeStatement, type Statement } from "../../src/formats/records/statement.ts";
import { refusalLines } from "../fixtures/program.ts";
import { Repository } from "../fixtures/repository.ts";

let repository: Repository;
let here: string;
beforeAll(() => {
  repository = new Repository();
});
afterAll(() => {
  repository[Symbol.dispose]();
});
/** Two branches: main, which has sealed `ours`, and theirs, checked out before it did. */
function branches(theirs: string, ours: string): void {
  must(`git checkout -q -b theirs && ${theirs} && ${repository.commit("theirs")}`);
  must(`git checkout -q main && ${ours} && ${repository.commit("ours")}`);
}
beforeEach(() => {
  here = repository.copy();
});

const must = (command: string): string => repository.mustRun(command, here);
const open = (credential: string): string =>
  must(`sealaunch open dns ${credential} --identity operator.identity`);
const statement = (generation: number): Statement =>
  decodeStatement(
    readFileSync(join(here, `secrets/bundles/dns/0.${String(generation)}/statement.json`)),
  );
const give = (credential: string, value: string): string =>
  `printf %s ${value} | sealaunch seal dns ${credential}=-`;

/** Merges with git as the documents say: the other branch's generations stay. */
function mergeInGit(): void {
  must(repository.commit("joined"));
  repository.run("git merge -q theirs", here);
  must("git checkout --theirs -- secrets/bundles/dns 2> /dev/null || true");
  must(repository.commit("merged"));
}

describe("seal --merge", () => {
  it("joins what two branches have sealed under one number, without reading a value", () => {
    branches(
      `${give("A", "theirs-a")} && sealaunch seal dns --unit b.service`,
      give("B", "ours-b"),
    );
    must("sealaunch seal dns --merge theirs");
    expect(open("A")).toBe("theirs-a");
    expect(open("B")).toBe("ours-b");
    expect(statement(5).units).toEqual(["b.service", "dns.service"]);
    mergeInGit();
    expect(must("git status --porcelain")).toBe("");
    expect(must("sealaunch verify --since theirs --identity n1/identity")).toMatch(
      /^bundle dns +5 +good$/mu,
    );
    const history = repository.run("sealaunch inspect dns --between 2026-01-01 now", here);
    expect(history.stderr).toBe("");
  });

  it("removes what either has removed, and keeps what the other replaced elsewhere", () => {
    branches("sealaunch seal dns --remove SESSION_KEY", give("CF_TOKEN", "new"));
    must("sealaunch seal dns --merge theirs");
    expect(statement(4).credentials.map(({ name }) => name)).toEqual(["CF_TOKEN"]);
    expect(open("CF_TOKEN")).toBe("new");
  });

  it("refuses to choose where both have changed one value, and takes the value that is given", () => {
    branches(give("CF_TOKEN", "theirs"), give("CF_TOKEN", "ours"));
    const { status, stderr } = repository.run("sealaunch seal dns --merge theirs", here);
    expect(stderr).toMatch(refusalLines);
    expect(stderr).toContain("CF_TOKEN");
    expect(status).toBe(exitStatus[failures["bundle/undecided"][0]]);
    expect(must("git status --porcelain")).toBe("");
    must(`${give("CF_TOKEN", "decided")} --merge theirs`);
    expect(open("CF_TOKEN")).toBe("decided");
  });

  it("has nothing to do when it is run again", () => {
    branches(give("A", "theirs-a"), give("B", "ours-b"));
    must("sealaunch seal dns --merge theirs");
    expect(must("sealaunch seal dns --merge theirs")).toMatch(/^nothing to do: bundle dns 4 /u);
  });

  it("is what verify --since asks for where it finds the two", () => {
    branches(give("A", "theirs-a"), give("B", "ours-b"));
    const { stderr } = repository.run("sealaunch verify --since theirs", here);
    expect(stderr).toMatch(/^error: bundle dns 3 has another statement\.json than in .*theirs/mu);
    expect(stderr).toMatch(/^hint: .*sealaunch seal NAME --merge REV/mu);
  });

  it("is what verify asks for where git has put another branch's generation above ours", () => {
    branches(`${give("A", "theirs-a")} && ${give("A", "again")}`, give("B", "ours-b"));
    expect(repository.run("git merge -q theirs", here).status).not.toBe(0);
    const { status, stderr } = repository.run("sealaunch verify", here);
    expect(stderr).toMatch(/^error: bundle dns 4 doesn't follow what is there as 3: /u);
    expect(status).toBe(exitStatus[failures["history/twins"][0]]);
    must("git merge --abort && sealaunch seal dns --merge theirs");
    expect([open("A"), open("B")]).toEqual(["again", "ours-b"]);
    mergeInGit();
    must("sealaunch verify --since theirs");
  });

  it("takes nothing from a branch whose statement nobody signed who may", () => {
    branches(give("A", "theirs-a"), give("B", "ours-b"));
    must(
      "git checkout -q theirs && sed -i 's/dns.service/eve.service/' secrets/bundles/dns/0.3/statement.json",
    );
    must(`${repository.commit("forged")} && git checkout -q main`);
    const { status, stderr } = repository.run("sealaunch seal dns --merge theirs", here);
    expect(stderr).toMatch(refusalLines);
    expect(status).toBe(exitStatus[failures["signature/invalid"][0]]);
  });

  it("doesn't join what is for other pools", () => {
    must("sealaunch roster add-pool db --yes");
    must("sealaunch roster add-node n1 --pool db --known-hosts known_hosts --yes");
    must(repository.commit("db"));
    branches(`${give("CF_TOKEN", "x")} --remove SESSION_KEY --pool db`, give("B", "ours-b"));
    const { status, stderr } = repository.run("sealaunch seal dns --merge theirs", here);
    expect(stderr).toMatch(refusalLines);
    expect(status).toBe(exitStatus[failures["bundle/values-needed"][0]]);
  });
});
