import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Checkout } from "../fixtures/checkout.ts";
import { Workplace, type Outcome } from "../fixtures/worked-example.ts";

const checkout = new Checkout(() => Workplace.followed());
const { run, done } = checkout;

const rotate = "sealaunch identity rotate --config n1/node.json --host-key n1_host_key";
const sign = "sealaunch roster add-node keys/nodes/n1 --pool web --replace --yes";
const pass = "sealaunch rewrap --config n1/node.json";

const opens = (identity: string): Outcome =>
  run(`sealaunch open dns CF_TOKEN --identity ${identity}`);

/** Whether a start on node n1 would get its credentials: with either identity that lies there. */
function starts(): boolean {
  const identities = ["n1/identity", "n1/identity.next"].filter((name) =>
    existsSync(checkout.at(name)),
  );
  return identities.some((identity) => opens(identity).status === 0);
}

const recipient = (file: string): string => done(`sealaunch identity show ${file} --recipient`);

describe("identity rotate", () => {
  it("puts a next identity in the place of the present one, and a start works at every moment", () => {
    const value = opens("n1/identity").stdout;
    const before = recipient("n1/identity");
    expect(done(rotate)).toMatch(/node n1: recipient [0-9a-f]{32} → [0-9a-f]{32}\n/u);
    const next = recipient("n1/identity.next");
    expect(recipient("n1/identity")).toBe(before);
    expect(starts()).toBe(true);
    // Before a manager has signed nothing trusts it, and the node's own pass changes nothing.
    expect(done(pass)).toContain("isn't rotated yet");
    expect(opens("n1/identity.next").status).not.toBe(0);
    expect(starts()).toBe(true);

    done(sign);
    expect(starts()).toBe(true);
    expect(done(pass)).toContain("the one before is gone");
    expect(recipient("n1/identity")).toBe(next);
    expect(existsSync(checkout.at("n1/identity.next"))).toBe(false);
    expect(opens("n1/identity").stdout).toBe(value);
    done("sealaunch verify --identity n1/identity");
    expect(done(pass)).toContain("nothing is owed");
  });

  it("leaves no entry of the identity that is gone, and no bundle changes", () => {
    const bundles = (): string[] =>
      readdirSync(checkout.at("secrets"), { recursive: true, encoding: "utf8" }).toSorted();
    const sealed = bundles();
    cpSync(checkout.at("n1/identity"), checkout.at("thief.identity"));
    done(rotate);
    done(sign);
    done(pass);
    expect(bundles()).toEqual(sealed);
    expect(readdirSync(checkout.at("keys/entries/web/1"))).toHaveLength(3);
    expect(opens("thief.identity").status).not.toBe(0);
  });

  it("goes on with the identity that it made, wherever it was stopped", () => {
    done(rotate);
    const next = recipient("n1/identity.next");
    done(rotate);
    expect(recipient("n1/identity.next")).toBe(next);
    done(sign);
    // As somebody leaves it who is stopped when the next identity had taken its place.
    done("sealaunch rewrap --identity n2/identity");
    cpSync(checkout.at("n1/identity.next"), checkout.at("n1/identity"));
    expect(starts()).toBe(true);
    done(pass);
    expect(existsSync(checkout.at("n1/identity.next"))).toBe(false);
    expect(readdirSync(checkout.at("keys/entries/web/1"))).toHaveLength(3);
    expect(starts()).toBe(true);
  });

  it("keeps the present one until every pool of the node names the next", () => {
    done("sealaunch roster add-pool db --yes");
    done("sealaunch roster add-node n1 --pool db --known-hosts known_hosts --yes");
    const before = recipient("n1/identity");
    done(rotate);
    done(sign);
    expect(done(pass)).toMatch(/isn't rotated yet: pool db has/u);
    expect(recipient("n1/identity")).toBe(before);
    expect(starts()).toBe(true);
    done(sign.replace("web", "db"));
    done(pass);
    expect(recipient("n1/identity")).not.toBe(before);
    done("sealaunch verify --identity n1/identity");
  });

  it("starts with the next identity alone where a new epoch began in between", () => {
    done(rotate);
    done(sign);
    done("sealaunch roster remove-node n2 --yes");
    done("sealaunch rewrap --identity operator.identity");
    done("sealaunch roster remove-node n2 --yes");
    // The new epoch's entries are for who the pool file names: the next identity.
    expect(opens("n1/identity").status).not.toBe(0);
    expect(starts()).toBe(true);
    done(pass);
    expect(opens("n1/identity").status).toBe(0);
  });
});

describe("a member's own pass", () => {
  it("writes a newcomer's entry, without an operator", () => {
    done("ssh-keygen -q -t ed25519 -N '' -C n3 -f n3_host_key");
    done("sealaunch identity create --into n3 --node n3 --host-key n3_host_key");
    const print = /SHA256:\S+/u.exec(done("ssh-keygen -lf n3_host_key.pub"))?.[0] ?? "";
    done(`sealaunch roster add-node n3 --pool web --fingerprint ${print} --yes`);
    expect(opens("n3/identity").status).not.toBe(0);
    done(pass);
    expect(opens("n3/identity").stdout).toBe(opens("n1/identity").stdout);
  });
});

describe("roster show --pending", () => {
  it("lists a node that announced itself, which nothing trusts before a manager signs", () => {
    expect(done("sealaunch roster show --pending")).toContain("nobody waits");
    done("ssh-keygen -q -t ed25519 -N '' -C n3 -f n3_host_key");
    done("sealaunch identity create --into n3 --node n3 --host-key n3_host_key --announce");
    expect(done("sealaunch roster show --pending")).toMatch(/n3 .*new, host key unknown/u);
    done("sealaunch rewrap --identity operator.identity");
    expect(opens("n3/identity").status).not.toBe(0);
    const print = /SHA256:\S+/u.exec(done("ssh-keygen -lf n3_host_key.pub"))?.[0] ?? "";
    done(`sealaunch roster add-node keys/nodes/n3 --pool web --fingerprint ${print} --yes`);
    expect(done("sealaunch roster show --pending")).toContain("nobody waits");
  });

  it("says of a new identity whether the host key is the one that is enrolled", () => {
    done(rotate);
    expect(done("sealaunch roster show --pending")).toContain("new identity, host key as before");
    done(sign);
    expect(done("sealaunch roster show --pending")).toContain("nobody waits");
    done("ssh-keygen -q -t ed25519 -N '' -C n1 -f other_key");
    done("sealaunch identity create --into other --node n1 --host-key other_key --announce");
    expect(done("sealaunch roster show --pending")).toContain("ANOTHER HOST KEY");
  });

  it("lists no node that was shut out, also one that was about to rotate", () => {
    done(rotate);
    done("sealaunch roster remove-node n1 --disk-destroyed --yes");
    expect(done("sealaunch roster show --pending")).toContain("nobody waits");
  });

  it("passes over a card that isn't whole", () => {
    mkdirSync(checkout.at("keys/nodes/n8"), { recursive: true });
    writeFileSync(checkout.at("keys/nodes/n8/card.json"), "{}");
    expect(done("sealaunch roster show --pending")).toContain("nobody waits");
  });
});
