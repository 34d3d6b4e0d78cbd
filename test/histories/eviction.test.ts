import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Checkout } from "../fixtures/checkout.ts";
import { Workplace, type Outcome } from "../fixtures/worked-example.ts";

const checkout = new Checkout(() => Workplace.followed());
const { run, done, refused } = checkout;

/** What a node's identity gets of the bundle, as a start would. */
const opens = (identity: string): Outcome =>
  run(`sealaunch open dns CF_TOKEN --identity ${identity}`);

/** The epochs that the newest pool file names. */
function epochs(): { current: number; leaving: number | null } {
  const folder = checkout.at("keys/pools/web");
  const newest = Math.max(...readdirSync(folder).map(Number));
  const text = readFileSync(join(folder, String(newest), "pool.json"), "utf8");
  const { current, leaving } = JSON.parse(text) as Record<string, { epoch: number } | null>;
  return { current: current?.epoch ?? 0, leaving: leaving?.epoch ?? null };
}

const remove = "sealaunch roster remove-node n2 --yes";

describe("roster remove-node", () => {
  it("shuts a stolen node out, step by step, and the other starts throughout", () => {
    const value = opens("n1/identity").stdout;
    expect(value).not.toBe("");
    const first = done("sealaunch roster remove-node n2 --yes");
    expect(first).toContain("next: sealaunch rewrap");
    expect(epochs()).toEqual({ current: 2, leaving: 1 });
    expect(opens("n1/identity").stdout).toBe(value);
    expect(done("sealaunch roster show")).toMatch(/^web .* 2, leaving 1 /mu);

    // Whoever seals now seals for the new epoch alone.
    done("printf new | sealaunch seal dns CF_TOKEN=-");
    expect(opens("n1/identity").stdout).toBe("new");
    expect(opens("n2/identity").status).not.toBe(0);
    expect(opens("n2/identity").stdout).toBe("");

    done("sealaunch rewrap --identity n1/identity");
    expect(opens("n1/identity").stdout).toBe("new");
    done("sealaunch roster remove-node n2 --yes");
    expect(epochs()).toEqual({ current: 2, leaving: null });
    expect(opens("n1/identity").stdout).toBe("new");
    expect(opens("n2/identity").status).not.toBe(0);
    expect(readdirSync(checkout.at("keys/entries/web"))).toEqual(["2"]);
    expect(readdirSync(checkout.at("secrets/headers/web"))).toEqual(["2"]);
    expect(existsSync(checkout.at("keys/nodes/n2"))).toBe(false);
    done("printf other | sealaunch seal dns SESSION_KEY=-");
    done("sealaunch verify --identity operator.identity");
    expect(done("sealaunch roster remove-node n2 --yes")).toContain("no member any more");
  });

  it("is over ssh with a host that ssh knows by the node's own key, and for the node as a whole", () => {
    const before = epochs();
    for (const options of ["--from web", "--disk-destroyed"])
      refused(`${remove} --ssh root@n2.invalid ${options}`, "usage/invalid");
    const { stderr } = refused(`${remove} --ssh root@n2.invalid`, "node/unverified");
    expect(stderr).toMatch(
      /^error: ssh doesn't know root@n2\.invalid by a host key of node n2, which has /u,
    );
    expect(epochs()).toEqual(before);
    expect(stderr).toContain("ssh-keygen -lF n2.invalid;");
  });

  it("names what the node could read, which stays owed until it is sealed anew: value/owed", () => {
    const output = done("sealaunch roster remove-node n2 --yes");
    expect(output).toMatch(
      /could read, so that each has to be replaced:\n(?: {2}.*\n)* {2}dns CF_TOKEN\n/u,
    );
    done("sealaunch rewrap --identity operator.identity");
    done("sealaunch roster remove-node n2 --yes");
    const { stderr } = refused("sealaunch verify", "value/owed");
    expect(stderr).toContain("CF_TOKEN of dns");
    const { credentials } = JSON.parse(
      readFileSync(checkout.at("secrets/bundles/dns/0.2/statement.json"), "utf8"),
    ) as { credentials: { name: string }[] };
    for (const { name } of credentials) done(`printf new | sealaunch seal dns ${name}=-`);
    done("sealaunch verify");
  });

  it("names also what earlier generations have, which the store may pin, and the minimum that ends them", () => {
    done("printf second | sealaunch seal dns CF_TOKEN=-");
    const expected = [
      "n2 could read, so that each has to be replaced:",
      "  dns CF_TOKEN",
      "  dns SESSION_KEY",
      "n2 could read, in earlier generations, with which units still start that have them pinned in the store:",
      "  dns 2 CF_TOKEN",
      "  dns 2 SESSION_KEY",
      "  dns 1 CF_TOKEN",
      "to end it: sealaunch seal dns CF_TOKEN SESSION_KEY && sealaunch roster set-minimum dns 4",
      "",
    ].join("\n");
    expect(done("sealaunch roster remove-node n2 --dry-run")).toContain(expected);
    expect(done(remove)).toContain(expected);
    done("sealaunch rewrap --identity operator.identity");
    done(remove);
    // Replaced in two steps, of which the first leaves one that n2 could read.
    done("printf third | sealaunch seal dns CF_TOKEN=-");
    done("printf third | sealaunch seal dns SESSION_KEY=-");
    const { bundles } = JSON.parse(done(`${remove} --json`)) as { bundles: unknown };
    expect(bundles).toEqual([
      {
        bundle: "dns",
        credentials: [],
        earlier: [
          { generation: 4, credentials: ["SESSION_KEY"] },
          { generation: 3, credentials: ["CF_TOKEN", "SESSION_KEY"] },
          { generation: 2, credentials: ["CF_TOKEN", "SESSION_KEY"] },
          { generation: 1, credentials: ["CF_TOKEN"] },
        ],
        minimum: 5,
      },
    ]);
    expect(done(remove)).toContain("\nto end it: sealaunch roster set-minimum dns 5\n");
    done("sealaunch roster set-minimum dns 5 --yes");
    expect(done(remove)).not.toContain("could read");
  });

  it("says of a history that is cut that it may have had more", () => {
    rmSync(checkout.at("secrets/bundles/dns/0.1"), { recursive: true });
    expect(done(remove)).toMatch(/^not known: bundle dns: what came before generation 2 /mu);
  });

  it("does nothing but say what it would with --dry-run", () => {
    const before = readdirSync(checkout.here, { recursive: true, encoding: "utf8" }).toSorted();
    expect(done("sealaunch roster remove-node n2 --dry-run")).toContain("a new epoch begins");
    expect(readdirSync(checkout.here, { recursive: true, encoding: "utf8" }).toSorted()).toEqual(
      before,
    );
  });

  it("begins no epoch for a node whose disk is destroyed, and owes nothing", () => {
    done("sealaunch roster remove-node n2 --disk-destroyed --yes");
    expect(epochs()).toEqual({ current: 1, leaving: null });
    expect(opens("n2/identity").status).not.toBe(0);
    expect(opens("n1/identity").status).toBe(0);
    done("sealaunch verify");
  });

  it("goes on after it was stopped when the new epoch's entries lay there", () => {
    // As somebody leaves it who is stopped between the entries and the pool file that names them.
    cpSync(checkout.at("keys/entries/web/1"), checkout.at("keys/entries/web/2"), {
      recursive: true,
    });
    expect(opens("n1/identity").status).toBe(0);
    done("sealaunch roster remove-node n2 --yes");
    expect(epochs()).toEqual({ current: 3, leaving: 1 });
    expect(opens("n1/identity").status).toBe(0);
    done("sealaunch rewrap --identity n1/identity");
    done("sealaunch roster remove-node n2 --yes");
    expect(readdirSync(checkout.at("keys/entries/web"))).toEqual(["3"]);
    expect(opens("n1/identity").status).toBe(0);
  });

  it("keeps the epoch that is left while anything needs it: pool/leaving", () => {
    done("sealaunch roster remove-node n2 --yes");
    expect(done("sealaunch roster remove-node n2 --yes")).toContain("owed: header of credential");
    expect(epochs()).toEqual({ current: 2, leaving: 1 });
    refused("sealaunch roster remove-node n1 --yes", "pool/leaving");
    // One that can't be judged may need it too.
    done("sealaunch rewrap --identity n1/identity");
    writeFileSync(checkout.at("secrets/bundles/dns/0.2/statement.json"), "{}");
    done("sealaunch roster remove-node n2 --yes");
    expect(epochs()).toEqual({ current: 2, leaving: 1 });
  });

  it("lets one of two managers begin the new epoch, and leaves no entry of the other's", () => {
    const one = `(${remove}; echo status $?)`;
    const { stdout } = run(`${one} & ${one} & wait`);
    const statuses = [...stdout.matchAll(/^status (\d+)$/gmu)].map(([, status]) => Number(status));
    expect(statuses).toHaveLength(2);
    // The second either comes too late for the same generation, or goes on after the first.
    expect(statuses.filter((status) => status !== 0).every((status) => status === 75)).toBe(true);
    expect(statuses).toContain(0);
    expect(opens("n1/identity").status).toBe(0);
    done("sealaunch rewrap --identity n1/identity");
    done(remove);
    expect(readdirSync(checkout.at("secrets/headers/web"))).toEqual([String(epochs().current)]);
    expect(opens("n1/identity").status).toBe(0);
    expect(opens("n2/identity").status).not.toBe(0);
  });

  it("goes pool by pool, and a member of another pool of the bundle writes what is owed", () => {
    done("sealaunch roster add-pool db --yes");
    done("sealaunch roster add-node n2 --pool db --known-hosts known_hosts --yes");
    done("printf a > a; printf b > b");
    done("sealaunch seal dns CF_TOKEN=a SESSION_KEY=b --pool web --pool db");
    expect(done("sealaunch roster remove-node n2 --from web --yes")).not.toContain("pool db");
    expect(opens("n2/identity").stdout).toBe("a");
    done("sealaunch rewrap --identity n2/identity");
    done("sealaunch roster remove-node n2 --from web --yes");
    expect(epochs()).toEqual({ current: 2, leaving: null });
    expect(opens("n1/identity").stdout).toBe("a");
    done("sealaunch roster remove-node n2 --yes");
    expect(existsSync(checkout.at("keys/nodes/n2"))).toBe(false);
  });

  it("knows no node that never was there: node/unknown", () => {
    refused("sealaunch roster remove-node n9 --yes", "node/unknown");
  });
});

describe("roster add-node --replace", () => {
  it("gives a node its new identity, which opens once an entry is written, and the old until then", () => {
    done("sealaunch identity create --into next --node n1 --host-key n1_host_key");
    refused("sealaunch roster add-node next --pool web --yes", "usage/exists");
    const output = done("sealaunch roster add-node next --pool web --replace --yes");
    expect(output).toMatch(/ {2}~ node n1: recipient [0-9a-f]{32} → [0-9a-f]{32}\n/u);
    expect(output).toMatch(/ {4}host key SHA256:\S+, as before\n/u);
    expect(opens("n1/identity").status).toBe(0);
    expect(opens("next/identity").status).not.toBe(0);
    done("sealaunch rewrap --identity n2/identity");
    expect(opens("next/identity").stdout).toBe(opens("n1/identity").stdout);
    done("sealaunch verify");
  });

  it("takes no card back whose recipient the node has left: node/unverified", () => {
    done("sealaunch identity create --into next --node n1 --host-key n1_host_key");
    done("sealaunch roster add-node next --pool web --replace --yes");
    refused("sealaunch roster add-node n1 --pool web --replace --yes", "node/unverified");
  });

  it("takes another host key only where that is known: node/unverified", () => {
    done("ssh-keygen -q -t ed25519 -N '' -C n1 -f fresh_key");
    done("sealaunch identity create --into next --node n1 --host-key fresh_key");
    const replace = "sealaunch roster add-node next --pool web --replace --yes";
    refused(replace, "node/unverified");
    const id = /SHA256:\S+/u.exec(done("ssh-keygen -lf fresh_key.pub"))?.[0] ?? "";
    const output = done(`${replace} --fingerprint ${id}`);
    expect(output).toContain(` → ${id}\n`);
  });
});
