import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { exitStatus, failures, type FailureCode } from "../../src/failure.ts";
import { Checkout } from "../fixtures/checkout.ts";
import { Workplace } from "../fixtures/worked-example.ts";

const checkout = new Checkout(() => Workplace.followed());
const { run, done } = checkout;

function write(path: string, text: string): void {
  mkdirSync(dirname(checkout.at(path)), { recursive: true });
  writeFileSync(checkout.at(path), text);
}

const loads = (...names: string[]): string =>
  names.map((name) => `LoadCredential=${name}:/run/sealaunch/agent.sock\n`).join("");

const both = loads("CF_TOKEN", "SESSION_KEY", "sealaunch");

/** A unit whose command asks so. */
const unitText = (asks: string, lines = both): string =>
  `[Service]\n${lines}ExecStart=/usr/bin/sealaunch run ${asks} -- /nix/store/${"0".repeat(32)}-dns/bin/dns --port 53\n`;

const service = (fields: object): string =>
  JSON.stringify({
    version: 1,
    name: "dns",
    program: `/nix/store/${"0".repeat(32)}-dns/bin/dns`,
    bundles: ["dns"],
    ...fields,
  });

interface Found {
  readonly object: string;
  readonly failures: readonly { readonly code: FailureCode; readonly message: string }[];
  readonly notes: readonly { readonly code: FailureCode }[];
}

/** What `verify --units` finds of units, `OBJECT CODE…`; it ends with the first's status. */
function found(paths: string): string[] {
  const { status, stdout } = run(`sealaunch verify --json ${paths}`);
  const [text] = stdout.split(/^(?=\{)/mu);
  const units = (JSON.parse(text ?? "") as Found[]).filter(({ object }) =>
    object.startsWith("unit "),
  );
  const [first] = units.flatMap((unit) => unit.failures);
  expect(status).toBe(first === undefined ? 0 : exitStatus[failures[first.code][0]]);
  return units.map(({ object, failures, notes }) =>
    [object.slice("unit ".length), ...[...failures, ...notes].map(({ code }) => code)].join(" "),
  );
}

describe("verify --units", () => {
  it("is content with a unit that gets what it asks for", () => {
    write("dns.service", unitText("--bundle dns@2+ --env CF_TOKEN"));
    expect(found("--units dns.service")).toEqual(["dns.service"]);
    expect(done("sealaunch verify --units dns.service")).toMatch(/^unit dns\.service +- +good/mu);
  });

  it.for<[code: FailureCode, what: string, name: string, text: string]>([
    ["bundle/absent", "a bundle that isn't there", "dns", unitText("--bundle web")],
    ["bundle/below-floor", "a floor above the newest", "dns", unitText("--bundle dns@3+")],
    ["bundle/wrong-unit", "a unit that the bundle doesn't name", "web", unitText("--bundle dns")],
    [
      "credential/missing",
      "a credential that the bundle hasn't",
      "dns",
      unitText("--bundle dns --credential PASSWORD"),
    ],
    [
      "credential/missing",
      "a variable of a credential that it doesn't get",
      "dns",
      unitText("--bundle dns --credential CF_TOKEN --env SESSION_KEY"),
    ],
    [
      "unit/credentials",
      "no line for a credential",
      "dns",
      unitText("--bundle dns", loads("CF_TOKEN", "sealaunch")),
    ],
    [
      "unit/credentials",
      "a line for one that isn't served",
      "dns",
      unitText("--bundle dns", `${both}${loads("OLD")}`),
    ],
    ["unit/not-guarded", "no guard", "dns", `[Service]\n${both}ExecStart=/usr/bin/dns\n`],
    ["unit/malformed", "an open quote", "dns", `[Service]\nExecStart=/usr/bin/dns "x\n`],
    ["usage/invalid", "an option that there isn't", "dns", unitText("--bundel dns")],
    [
      "bundle/wrong-unit",
      "another unit's name in place",
      "dns",
      unitText("--in-place --bundle dns --unit web.service", ""),
    ],
  ])("refuses %s: %s", ([code, , name, text]) => {
    write(`units/${name}.service`, text);
    expect(found("--units units")).toEqual([`${name}.service ${code}`]);
  });

  it("takes a start in place for one that needs no line", () => {
    write("web.service", unitText("--in-place --bundle dns --user nobody", ""));
    expect(found("--units web.service")).toEqual(["web.service"]);
  });

  it("reads drop-ins, also of a unit that lies elsewhere, and passes over who asks for nothing", () => {
    done("printf '[Service]\\nExecStart=/usr/bin/dns\\n' > dns.service");
    done(
      "sealaunch unit --wrap dns.service --bundle dns --output units/dns.service.d/sealaunch.conf",
    );
    write("units/other.service", "[Service]\nExecStart=/usr/bin/other\n");
    write("units/package.json", '{"name": "x"}');
    write("units/broken.json", "{");
    expect(found("--units units")).toEqual(["dns.service"]);
    done("sealaunch seal dns --remove SESSION_KEY");
    expect(found("--units units")).toEqual(["dns.service credential/missing"]);
  });

  it("reads service files, named or in a directory", () => {
    write("services/dns.json", service({ credentials: ["CF_TOKEN"] }));
    write("services/web.json", service({ name: "web", bundles: ["dns@9+"] }));
    expect(found("--units services")).toEqual(["dns.service", "web.service bundle/below-floor"]);
    expect(found("dns --units services/dns.json")).toEqual(["dns.service"]);
    write("services/dns.json", service({ env: ["NONE"] }));
    expect(found("--units services/dns.json")).toEqual(["dns.service credential/missing"]);
    write("services/dns.json", service({ bundles: 1 }));
    expect(found("--units services/dns.json")).toEqual(["dns.json service/malformed"]);
  });

  it("resolves what a unit's name says, and notes what only the machine knows: unit/unresolved", () => {
    done("sealaunch seal dns --unit dns@eu.service");
    write("a/dns.service", unitText("--bundle %p"));
    write(
      "b/dns@eu.service",
      unitText("--bundle %p --credential CF_TOKEN", loads("CF_TOKEN", "sealaunch")),
    );
    write("c/dns@.service", unitText("--bundle %p"));
    write("d/dns@.service", unitText("--bundle %i"));
    expect(found("--units a --units b --units c --units d")).toEqual([
      "dns.service",
      "dns@eu.service",
      "dns@.service",
      "dns@.service unit/unresolved",
    ]);
  });

  it("needs a file or a directory of units", () => {
    expect(run("sealaunch verify --units nowhere").status).toBe(66);
    expect(run("sealaunch verify --units sealaunch.txt").status).toBe(66);
    expect(run("sealaunch verify --units known_hosts").status).toBe(64);
  });
});
