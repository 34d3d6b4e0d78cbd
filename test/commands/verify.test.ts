import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { exitStatus, failures, type FailureCode } from "../../src/failure.ts";
import { Checkout } from "../fixtures/checkout.ts";
import { Repository } from "../fixtures/repository.ts";

const checkout = new Checkout(() => new Repository());
const { run, done } = checkout;

interface Found {
  readonly object: string;
  readonly failures: readonly { readonly code: FailureCode; readonly message: string }[];
}

/** The codes that `verify --json` gives, by object; and its exit status is that of one of them. */
function found(options: string): Record<string, FailureCode[]> {
  const { status, stdout } = run(`sealaunch verify --json ${options}`);
  const [findings] = stdout.split(/^(?=\{)/mu);
  const bad = (JSON.parse(findings ?? "") as Found[]).filter((one) => one.failures.length > 0);
  const codes = bad.flatMap((one) => one.failures.map(({ code }) => code));
  if (codes.length === 0) expect(status).toBe(0);
  else expect(codes.map((code) => exitStatus[failures[code][0]])).toContain(status);
  return Object.fromEntries(
    bad.map((one) => [one.object, one.failures.map(({ code }) => code)] as const),
  );
}

const statement = (generation: number): string =>
  checkout.at(`secrets/bundles/dns/0.${String(generation)}/statement.json`);

describe("verify --within", () => {
  it("tells nothing of what is fresh for longer", () => {
    expect(found("--within 80d")).toEqual({});
  });

  it("tells of everything that ends by then, each by its own", () => {
    done("sealaunch roster add-signer bea bea.pub --name dns --expires 20d --yes");
    done("sealaunch seal dns --expires 10d");
    expect(found("--within 15d")).toEqual({ "bundle dns": ["date/ends-soon"] });
    expect(found("--within 30d")).toEqual({
      roster: ["date/ends-soon"],
      "bundle dns": ["date/ends-soon"],
    });
    expect(found("--within 91d")).toEqual({
      roster: ["date/ends-soon", "date/ends-soon"],
      "pool web": ["date/ends-soon"],
      "bundle dns": ["date/ends-soon"],
    });
  });

  it("ends with what is wrong today before what will be", () => {
    rmSync(checkout.at("secrets/bundles/dns/values"), { recursive: true });
    const { status, stderr } = run("sealaunch verify --within 91d");
    expect(status).toBe(exitStatus[failures["payload/absent"][0]]);
    expect(stderr).toMatch(/^error: credential CF_TOKEN of dns: /u);
  });

  it("refuses what is no number of days", () => {
    expect(run("sealaunch verify --within soon").status).toBe(64);
  });
});

describe("verify --older-than", () => {
  it("tells of each value by when it was sealed, not of the statement's age", () => {
    expect(found("--older-than 1d")).toEqual({});
    expect(found("--older-than 0d")).toEqual({
      "bundle dns": ["date/old-value", "date/old-value"],
    });
  });
});

describe("verify --since", () => {
  it("is content with generations that were added", () => {
    done("sealaunch seal dns --generate OTHER && sealaunch roster sign --renew --yes");
    expect(found("--since HEAD")).toEqual({});
  });

  it("sees one changed byte of a generation that nothing else reads any more", () => {
    done("sealaunch seal dns --generate OTHER");
    writeFileSync(statement(1), readFileSync(statement(1), "utf8").replace('"web"', '"wep"'));
    expect(found("")).toEqual({});
    expect(found("--since HEAD")).toEqual({ "bundle dns": ["history/rewritten"] });
  });

  it("sees that the newest generation was taken away", () => {
    rmSync(checkout.at("secrets/bundles/dns/0.2"), { recursive: true });
    rmSync(checkout.at("keys/roster/4"), { recursive: true });
    expect(found("")).toEqual({});
    expect(found("--since HEAD")).toEqual({
      roster: ["history/rewritten"],
      "bundle dns": ["history/rewritten"],
    });
  });

  it("sees that a bundle is gone", () => {
    rmSync(checkout.at("secrets/bundles/dns"), { recursive: true });
    expect(found("--since HEAD")).toEqual({ "bundle dns": ["history/rewritten"] });
  });

  it("lets old generations go that nothing reads", () => {
    rmSync(checkout.at("secrets/bundles/dns/0.1"), { recursive: true });
    expect(found("--since HEAD")).toEqual({});
  });

  it("tells nothing of headers and entries that came, which need no signature", () => {
    done("sealaunch rewrap --identity operator.identity --all");
    expect(done("git status --porcelain")).toMatch(/^ M keys\/entries\/web\/1\//mu);
    expect(found("--since HEAD")).toEqual({});
  });

  it.for(["nowhere", "--upload-pack=x", "HEAD:keys"])("needs a commit: %s is none", (revision) => {
    const { status, stderr } = run(`sealaunch verify --since='${revision}'`);
    expect(stderr).toMatch(/^error: git has no revision .+\nhint: .+\n$/u);
    expect(status).toBe(exitStatus[failures["git/failed"][0]]);
  });
});
