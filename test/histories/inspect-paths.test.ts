import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { FailureCode } from "../../src/failure.ts";
import { Checkout } from "../fixtures/checkout.ts";
import { expectRefused } from "../fixtures/ended.ts";
import { Repository } from "../fixtures/repository.ts";

const checkout = new Checkout(() => new Repository());
const { run, done } = checkout;

const sealTwo = (): void => {
  done("sealaunch roster add-signer ann ~/.ssh/id_ed25519.pub --name dns --name team/ --yes");
  done("printf x | sealaunch seal team/a TOKEN=- --pool web --unit a.service --expires 10d");
  done("printf x | sealaunch seal team/b TOKEN=- --pool web --in-place");
};

interface Told {
  readonly bundle: string;
  readonly generation: string;
  readonly signers: readonly string[];
  readonly failures: readonly { readonly code: FailureCode }[];
}

describe("inspect of a directory", () => {
  it("tells of the one bundle in it what it tells of its name", () => {
    const named = done("sealaunch inspect dns");
    expect(named).toMatch(/^signed by {3}bea$/mu);
    expect(named).toMatch(/^starts {6}yes$/mu);
    for (const path of [
      ".",
      "./secrets",
      "./secrets/bundles/dns",
      "./secrets/bundles/dns/",
      checkout.here,
    ]) {
      expect(done(`sealaunch inspect ${path}`)).toBe(named);
    }
    expect(run("sealaunch inspect ..", checkout.at("secrets")).stdout).toBe(
      named.replace("secrets/bundles", "bundles"),
    );
  });

  it("tells of a generation whose folder is named, not of the newest", () => {
    const output = done("sealaunch inspect ./secrets/bundles/dns/0.1");
    expect(output).toMatch(/^bundle {6}dns, generation 1, /mu);
    expect(output).toMatch(/^signed by {3}ann$/mu);
    expect(output).not.toContain("SESSION_KEY");
    done("sealaunch inspect ./secrets/bundles/dns/0.1 --node n1");
    expectRefused(run("sealaunch inspect ./secrets/bundles/dns/0.7"), "bundle/absent");
    expectRefused(run("sealaunch inspect ./secrets/bundles/dns/0.1 --since HEAD"), "usage/invalid");
  });

  it("tells of several one line each, with the worst of each", () => {
    sealTwo();
    rmSync(checkout.at("secrets/headers/web/1/team/a"), { recursive: true });
    const told = JSON.parse(done("sealaunch inspect . --json")) as Told[];
    expect(
      told.map(({ bundle, generation, signers, failures }) => [
        bundle,
        generation,
        signers.join(),
        failures.map(({ code }) => code).join(),
      ]),
    ).toEqual([
      ["dns", "2", "bea", ""],
      ["team/a", "1", "ann", "header/absent"],
      ["team/b", "1", "ann", ""],
    ]);
    const lines = done("sealaunch inspect ./secrets/bundles/team").split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(/^team\/a +1 +ann +web +a\.service +\d{4}-\S+ +credential TOKEN of /u);
    expect(lines[2]).toMatch(/^team\/b +1 +ann +web +in place +never +good *$/u);
  });

  it("is a list for programs, however many there are", () => {
    const listed = (what: string): string[] =>
      (JSON.parse(done(`sealaunch inspect ${what} --json`)) as Told[]).map(({ bundle }) => bundle);
    expect(listed(".")).toEqual(["dns"]);
    expect(done("sealaunch inspect .")).toContain("could open  pool web");
    const one = JSON.parse(done("sealaunch inspect ./secrets/bundles/dns --json")) as object;
    expect(one).toHaveProperty("statement");
    sealTwo();
    expect(listed(".")).toEqual(["dns", "team/a", "team/b"]);
  });

  it("ends with the first that nobody entitled has signed, after all were told", () => {
    sealTwo();
    writeFileSync(checkout.at("secrets/bundles/team/a/0.1/statement.json"), "{}");
    const { stdout } = expectRefused(run("sealaunch inspect ."), "signature/unknown-signer");
    expect(stdout).toMatch(/^team\/b .+ good/mu);
    expect(stdout).toMatch(/^team\/a +- +- +- +- +- +\S/mu);
  });

  it("asks for one where something is asked of one", () => {
    sealTwo();
    for (const question of ["--node n1", "--between 2026-01-01 now", "--since HEAD", "--floor 2"]) {
      expectRefused(run(`sealaunch inspect . ${question}`), "usage/invalid");
    }
    expect(done("sealaunch inspect ./secrets/bundles/team/a --since HEAD")).toContain(
      "not there in HEAD",
    );
    expect(done("sealaunch inspect ./secrets/bundles/dns --between 2020-01-01 now")).toContain(
      "node n1",
    );
  });

  it("says by the floor whether a start would take it", () => {
    expect(done("sealaunch inspect dns --floor 2")).toMatch(/^starts +yes$/mu);
    expect(done("sealaunch inspect . --floor 3")).toMatch(/^starts +no: .+ floor 3 /mu);
    expectRefused(run("sealaunch inspect . --node n1 --floor 3"), "bundle/below-floor");
    expectRefused(run("sealaunch inspect dns --floor new"), "usage/invalid");
  });

  it("judges sealed objects that have no roster by the checkout's", () => {
    mkdirSync(checkout.at("apart"));
    cpSync(checkout.at("secrets"), checkout.at("apart/secrets"), {
      recursive: true,
    });
    rmSync(checkout.at("secrets"), { recursive: true });
    expect(done("sealaunch inspect ./apart")).toMatch(
      /^lies at {5}apart\/secrets\/bundles\/dns\/0\.2$/mu,
    );
    done("sealaunch inspect ./apart --node n2");
    done("sealaunch roster set-minimum dns 3 --yes 2>/dev/null");
    expect(done("sealaunch inspect ./apart")).toMatch(/^starts +no: bundle dns 2 is out of use/mu);
    expectRefused(run("sealaunch inspect ./apart --node n2"), "bundle/below-minimum");
  });

  it("lets what is inspected bring no root keys along, unless there are no others", () => {
    const other = checkout.place.copy();
    done("ssh-keygen -q -t ed25519 -N '' -C root -f root && rm -r keys sealaunch.json");
    done("sealaunch init --root root.pub --operator operator.identity --signer root.pub --yes");
    expectRefused(run(`sealaunch inspect ${other}`), "signature/unknown-signer");
    const own = `sealaunch inspect ${other} --config ${other}/sealaunch.json`;
    expect(done(own)).toMatch(/^bundle {6}dns, /mu);
    const { status, stdout, stderr } = run(`sealaunch inspect ${other}`, "/");
    expect(stderr).toBe(
      `warning: judged by the root keys that ${other}/sealaunch.json names itself\n`,
    );
    expect(stdout).toMatch(/^bundle {6}dns, /mu);
    expect(status).toBe(0);
  });

  it("follows a link to a directory", () => {
    symlinkSync(checkout.here, checkout.at("result"));
    expect(done("sealaunch inspect ./result")).toMatch(/^bundle {6}dns, /mu);
  });

  it.for<[FailureCode, string]>([
    ["file/absent", "./nowhere"],
    ["file/absent", `/nix/store/${"0".repeat(32)}-secrets`],
    ["source/unreadable", "./sealaunch.json"],
    ["source/unreadable", "/"],
    ["source/unreadable", "./n1"],
    ["bundle/absent", "./secrets/bundles/dns/values"],
    ["usage/bad-name", ".hidden"],
    ["usage/bad-name", "secrets/bundles/dns/0.1"],
  ])("refuses with %s: %s", ([code, path]) => {
    expectRefused(run(`sealaunch inspect ${path}`), code);
  });
});
