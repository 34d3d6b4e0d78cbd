import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { Checkout } from "../fixtures/checkout.ts";
import { expectRefused } from "../fixtures/ended.ts";
import { Workplace } from "../fixtures/worked-example.ts";

const checkout = new Checkout(() => Workplace.followed());
const { run, done } = checkout;

/** After it, there is a copy of one file of that folder at `to`. */
function copyOne(folder: string, to: string): void {
  const [name = ""] = readdirSync(checkout.at(folder));
  mkdirSync(dirname(checkout.at(to)), { recursive: true });
  cpSync(checkout.at(folder, name), checkout.at(to));
}

interface Found {
  readonly object: string;
  readonly notes: readonly { readonly code: string; readonly message: string }[];
}

/** The notes of a `verify` that finds nothing wrong, as `OBJECT: PATH`. */
function notes(): string[] {
  const found = JSON.parse(done("sealaunch verify --json")) as Found[];
  return found.flatMap(({ object, notes }) =>
    notes.map(({ message }) => `${object}: ${message.split(" ")[0] ?? ""}`),
  );
}

describe("verify", () => {
  it("finds nothing over in what the commands have written", () => {
    expect(notes()).toEqual([]);
    done("sealaunch verify --strict");
    done("sealaunch roster remove-node n2 --yes && sealaunch rewrap --identity operator.identity");
    done("sealaunch roster remove-node n2 --yes");
    done("printf new | sealaunch seal dns CF_TOKEN=-");
    done("printf new | sealaunch seal dns SESSION_KEY=-");
    done("sealaunch verify --strict");
  });

  it("refuses an entry for somebody who never was a member or operator: surplus/reader", () => {
    const path = `entries/web/1/${"0".repeat(32)}.age`;
    copyOne("keys/entries/web/1", `keys/${path}`);
    const { stderr } = expectRefused(run("sealaunch verify"), "surplus/reader");
    expect(stderr).toContain(path);
  });

  it("refuses a header for a pool that its value was never sealed for: surplus/reader", () => {
    done("sealaunch roster add-pool other --yes");
    const [payload = ""] = readdirSync(checkout.at("secrets/headers/web/1/dns"));
    const path = `headers/other/1/dns/${payload}`;
    copyOne("secrets/headers/web/1/dns", `secrets/${path}`);
    const { stderr } = expectRefused(run("sealaunch verify dns"), "surplus/reader");
    expect(stderr).toContain(path);
  });

  it.each(["secrets/bundles", "secrets/headers/web/1", "keys/pools/web"])(
    "refuses links to folders at once, by which there would be no end of what lies there: %s",
    (folder) => {
      for (const name of ["x", "y", "z"]) symlinkSync(".", checkout.at(folder, name));
      const { stderr } = expectRefused(run("timeout 20 sealaunch verify"), "source/hostile");
      expect(stderr).toMatch(/^error: .+ is a link to a folder\n/u);
    },
  );

  it("isn't kept from anything by a link that leads nowhere, such as an editor's", () => {
    for (const folder of ["secrets/bundles", "keys/nodes", "keys/pools/web"])
      symlinkSync("ann@laptop.1", checkout.at(folder, ".#web"));
    done("sealaunch verify");
  });

  it("notes an entry of a recipient that a node has left, which a pass of its own removes", () => {
    done("sealaunch identity create --into n2b --node n2 --host-key n2_host_key --state n2b/state");
    done("sealaunch roster add-node n2b --pool web --replace --known-hosts known_hosts --yes");
    done("sealaunch rewrap --identity operator.identity");
    expect(notes()).toEqual([
      expect.stringMatching(/^pool web: entries\/web\/1\/[0-9a-f]{32}\.age$/u),
    ]);
  });

  it.for<[file: string, note: string]>([
    ["keys/entries/web/2/x", "pool web: entries/web/2"],
    ["keys/entries/web/1/mine.txt", "pool web: entries/web/1/mine.txt"],
    ["keys/entries/gone/1/x", "roster: entries/gone"],
    ["keys/pools/web/1/pool.json.orig", "pool web: pools/web/1/pool.json.orig"],
    ["keys/roster/1/.DS_Store", "roster: roster/1/.DS_Store"],
    ["secrets/headers/web/2/dns/x", "pool web: headers/web/2"],
    ["secrets/headers/web/1/other/x", "bundles: headers/web/1/other"],
    ["secrets/bundles/other/values/x", "bundles: bundles/other"],
    ["secrets/bundles/dns/0.2/token", "bundle dns: bundles/dns/0.2/token"],
    ["secrets/bundles/dns/notes.md", "bundles: bundles/dns/notes.md"],
    [
      `secrets/bundles/dns/values/${"a".repeat(64)}`,
      `bundle dns: bundles/dns/values/${"a".repeat(64)}`,
    ],
    [
      `secrets/headers/web/1/dns/${"a".repeat(64)}`,
      `bundle dns: headers/web/1/dns/${"a".repeat(64)}`,
    ],
  ])("notes what nothing needs, and refuses it with --strict: %s", ([file, note]) => {
    mkdirSync(dirname(checkout.at(file)), { recursive: true });
    writeFileSync(checkout.at(file), "x");
    expect(notes().some((one) => one === note)).toBe(true);
    expect(done("sealaunch verify")).toContain(" note ");
    expectRefused(run("sealaunch verify --strict"), "surplus/unneeded");
  });
});
