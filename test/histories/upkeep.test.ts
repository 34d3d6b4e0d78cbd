import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { FailureCode } from "../../src/failure.ts";
import { Checkout } from "../fixtures/checkout.ts";
import { Workplace } from "../fixtures/worked-example.ts";

const checkout = new Checkout(() => Workplace.followed());
const { run, done, refused } = checkout;

const inFolder = (folder: string): string[] => readdirSync(checkout.at(folder)).toSorted();

/** The first file of a folder of sealed objects. */
function fileIn(folder: string): string {
  const [name] = inFolder(folder);
  if (name === undefined) throw new Error(`the test's ${folder} is empty`);
  return checkout.at(folder, name);
}

/** The file of the entry in pool web that an identity opens. */
function entryOf(identity: string): string {
  const { id } = JSON.parse(done(`sealaunch identity show ${identity} --json`)) as { id: string };
  return checkout.at(`keys/entries/web/1/${id}.age`);
}

describe("roster sign", () => {
  it("has nothing to sign where nothing waits", () => {
    const before = inFolder("keys/roster");
    expect(done("sealaunch roster sign --yes")).toMatch(/^nothing to sign: roster 4 /u);
    expect(inFolder("keys/roster")).toEqual(before);
  });

  it("gives the roster and its pool files new dates, and keeps what they say", () => {
    const before = JSON.parse(done("sealaunch roster show --json")) as Shown;
    const output = done("sealaunch roster sign --renew --yes");
    expect(output).toContain("nothing but its dates");
    const after = JSON.parse(done("sealaunch roster show --json")) as Shown;
    expect(after.roster.generation).toBe(before.roster.generation + 1);
    expect(after.roster.signers).toEqual(before.roster.signers);
    expect(after.pools[0]?.file.generation).toBe((before.pools[0]?.file.generation ?? 0) + 1);
    expect(after.pools[0]?.file.current).toEqual(before.pools[0]?.file.current);
    expect(after.pools[0]?.members).toEqual(before.pools[0]?.members);
    done("sealaunch verify --identity n2/identity");
  });

  it("renews one pool's file alone for its manager", () => {
    done("sealaunch roster sign --pool web --yes");
    expect(inFolder("keys/roster")).toHaveLength(4);
    expect(inFolder("keys/pools/web")).toHaveLength(3);
  });
});

interface Shown {
  readonly roster: { readonly generation: number; readonly signers: unknown };
  readonly pools: readonly {
    readonly file: { readonly generation: number; readonly current: unknown };
    readonly members: unknown;
  }[];
}

describe("a roster below its threshold", () => {
  let prepared: string | undefined;
  beforeEach(() => {
    if (prepared !== undefined) {
      rmSync(checkout.here, { recursive: true });
      cpSync(prepared, checkout.here, { recursive: true });
      return;
    }
    for (const name of ["sealaunch.json", "keys", "secrets"]) {
      rmSync(checkout.at(name), { recursive: true });
    }
    done("for who in two three; do ssh-keygen -q -t ed25519 -N '' -f $who; done");
    const roots = "--root ~/.ssh/id_ed25519.pub --root two.pub --root three.pub --threshold 2";
    done(`sealaunch init ${roots} --operator operator.identity --yes`);
    done("sealaunch roster sign --signer two.pub --yes");
    const waiting = done("sealaunch roster add-pool web --yes");
    expect(waiting).toContain("doesn't count before 1 more of");
    prepared = join(checkout.place.top, "prepared");
    cpSync(checkout.here, prepared, { recursive: true });
  });

  it("leaves readers the one before it", () => {
    expect(done("sealaunch verify")).toMatch(/^roster +1 +good$/mu);
    expect(done("sealaunch roster show")).toMatch(/roster 2 waits, signed by SHA256:/u);
  });

  it("keeps every other change waiting, so that none can be slipped in", () => {
    refused("sealaunch roster add-pool db --yes --signer two.pub", "roster/pending");
    expect(inFolder("keys/roster")).toEqual(["1"]);
  });

  it("shows the second key the whole change, and counts once it has signed", () => {
    const shown = done("sealaunch roster sign --signer three.pub --yes");
    expect(shown).toContain("+ pool web, managed by");
    expect(inFolder("keys/roster")).toEqual(["1", "2"]);
    expect(inFolder("keys/roster/2/signatures")).toHaveLength(2);
    expect(inFolder("keys/roster-pending")).toEqual([]);
  });

  it("leaves no folder of it where somebody was stopped once it counted", () => {
    cpSync(checkout.at("keys/roster/1"), checkout.at("keys/roster-pending/1"), {
      recursive: true,
    });
    rmSync(checkout.at("keys/roster-pending/2"), { recursive: true });
    expect(done("sealaunch roster sign --yes")).toMatch(/^nothing to sign: roster 1 /u);
    expect(inFolder("keys/roster-pending")).toEqual([]);
  });

  it("doesn't count a key twice", () => {
    refused("sealaunch roster sign --yes", "signer/none");
    expect(inFolder("keys/roster")).toEqual(["1"]);
  });

  it("is refused where it doesn't follow the roster that counts", () => {
    cpSync(checkout.at("keys/roster/1"), checkout.at("keys/roster-pending/2"), {
      recursive: true,
    });
    refused("sealaunch roster sign --signer three.pub --yes", "roster/malformed");
  });
});

describe("roster add-signer", () => {
  it("replaces a signer of that name, and shows both", () => {
    const output = done("sealaunch roster add-signer bea bea.pub --name shop/ --expires 30d --yes");
    expect(output).toMatch(/^ {2}- signer bea \(SHA256:.+\) for dns, without end$/mu);
    expect(output).toMatch(/^ {2}\+ signer bea \(SHA256:.+\) for shop\/, until 20/mu);
  });

  it("has nothing to do for a signer who is there just so", () => {
    expect(done("sealaunch roster add-signer bea bea.pub --name dns --yes")).toMatch(/^nothing/u);
    expect(inFolder("keys/roster")).toHaveLength(4);
  });

  it.for<[string, string, FailureCode]>([
    ["no name", "", "usage/invalid"],
    ["a name with a glob", "--name 'dns*'", "usage/bad-name"],
    ["a time that is over", "--name dns --expires 2020-01-01", "usage/invalid"],
  ])("refuses %s", ([, options, code]) => {
    refused(`sealaunch roster add-signer cyd bea.pub ${options} --yes`, code);
  });

  it("refuses a key that another signer has", () => {
    refused("sealaunch roster add-signer cyd bea.pub --name x --yes", "usage/exists");
  });
});

describe("roster add-node", () => {
  const add = "sealaunch roster add-node n2 --pool web --known-hosts known_hosts --yes";

  it("has nothing to do for a member", () => {
    expect(done(add)).toBe("nothing to do: pool web has n1, n2\n");
  });

  it("takes a host key by its fingerprint", () => {
    done("sealaunch roster add-pool db --yes");
    const fingerprint = "$(ssh-keygen -lf n1_host_key.pub | cut -d ' ' -f 2)";
    done(`sealaunch roster add-node keys/nodes/n1 --pool db --fingerprint ${fingerprint} --yes`);
    expect(inFolder("keys/entries/db/1")).toHaveLength(2);
  });

  it("refuses a host key that known_hosts revokes", () => {
    done("sealaunch roster add-pool db --yes");
    done('echo "@revoked * $(cut -d " " -f 1,2 n2_host_key.pub)" >> known_hosts');
    refused(add.replace("web", "db"), "node/unverified");
    expect(existsSync(checkout.at("keys/entries/db"))).toBe(false);
  });

  it("refuses another identity under a member's name", () => {
    done("rm -r n2 && sealaunch identity create --into n2 --node n2 --host-key n2_host_key");
    refused(add, "usage/exists");
  });

  it("refuses a pool that the roster doesn't have", () => {
    refused(add.replace("web", "mail"), "pool/unknown");
  });
});

describe("rewrap", () => {
  it("owes nothing where all is there", () => {
    expect(done("sealaunch rewrap --identity operator.identity")).toBe("nothing is owed\n");
  });

  it("says what is owed and writes nothing when it is asked only for that", () => {
    rmSync(entryOf("n2"));
    const output = done("sealaunch rewrap --identity operator.identity --dry-run --json");
    const { written, owed } = JSON.parse(output) as { written: string[]; owed: object[] };
    expect(written).toEqual([]);
    expect(owed).toHaveLength(1);
    expect(inFolder("keys/entries/web/1")).toHaveLength(2);
  });

  it("says which header nothing can give back, and writes none", () => {
    const header = fileIn("secrets/headers/web/1/dns");
    rmSync(header);
    const { status, stderr } = run("sealaunch rewrap --identity operator.identity");
    expect(status).toBe(0);
    expect(stderr).toMatch(/^warning: .* header of credential \S+ of dns in pool web, epoch 1/u);
    expect(existsSync(header)).toBe(false);
  });

  it("needs no operator: a member writes a newcomer's entry", () => {
    rmSync(entryOf("n2"));
    expect(done("sealaunch roster show")).toMatch(/node n2 *$/mu);
    expect(done("sealaunch rewrap --identity n1/identity")).toContain(
      "entry of node n2 in pool web",
    );
    done("sealaunch verify --identity n2/identity");
  });

  it("refuses an identity that is nobody's here", () => {
    done("sealaunch identity create other.identity");
    refused("sealaunch rewrap --identity other.identity", "entry/absent");
  });

  it("mends another's spoilt entry when told to write all anew", () => {
    writeFileSync(entryOf("n2"), readFileSync(entryOf("operator.identity")));
    refused("sealaunch open dns CF_TOKEN --identity n2/identity", "header/no-match");
    done("sealaunch rewrap --identity operator.identity --all");
    expect(done("sealaunch open dns CF_TOKEN --identity n2/identity")).toContain("correct horse");
  });
});

describe("identity", () => {
  it("is never overwritten", () => {
    const before = readFileSync(checkout.at("operator.identity"));
    refused("sealaunch identity create operator.identity", "usage/exists");
    expect(readFileSync(checkout.at("operator.identity"))).toEqual(before);
    refused("sealaunch identity create --into n1 --node n1 --host-key n1_host_key", "usage/exists");
  });

  it("needs a place, and only one", () => {
    refused("sealaunch identity create", "usage/invalid");
    refused("sealaunch identity create x --into y", "usage/invalid");
    expect(existsSync(checkout.at("x"))).toBe(false);
  });

  it("is shown without its secret half", () => {
    const output = done("sealaunch identity show n1");
    expect(output).toMatch(/^recipient {2}age1pq1/u);
    expect(output).toContain("node       n1, card of ");
    expect(output.toUpperCase()).not.toContain("AGE-SECRET-KEY");
    expect(done("sealaunch identity show operator.identity --recipient")).toMatch(
      /^age1pq1\S+\n$/u,
    );
  });

  it("is not shown with another's card", () => {
    cpSync(checkout.at("keys/nodes/n2"), checkout.at("n1"), { recursive: true });
    refused("sealaunch identity show n1", "identity/other-node");
  });
});
