import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { Workplace } from "../fixtures/worked-example.ts";

let place: Workplace;
beforeAll(() => {
  place = Workplace.followed();
});
afterAll(() => {
  place[Symbol.dispose]();
});

/** Every object of a source in a directory, with its bytes. */
function objectsOf(directory: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const folder of ["keys", "secrets"]) {
    if (!existsSync(join(directory, folder))) continue;
    const names = readdirSync(join(directory, folder), { recursive: true, withFileTypes: true });
    for (const entry of names.filter((one) => one.isFile())) {
      const path = join(entry.parentPath, entry.name);
      found.set(path.slice(directory.length + 1), readFileSync(path, "latin1"));
    }
  }
  return found;
}

const copy = "sealaunch copy --from dir:. --to dir:../there --yes";
const thereOf = (directory: string): string => join(directory, "../there");

/** A copy of the worked example and an empty place beside it. */
function begin(): string {
  const directory = place.copy();
  rmSync(thereOf(directory), { recursive: true, force: true });
  return directory;
}

describe("sealaunch copy", () => {
  it("brings all that a source has, says first what is missing, and does nothing the second time", () => {
    const directory = begin();
    const dry = expectDone(place.run(`${copy} --dry-run`, directory));
    expect(dry).toMatch(/^roster 4 +4$/mu);
    expect(dry).toMatch(/^bundle dns 2 +\d+$/mu);
    expect(existsSync(thereOf(directory))).toBe(false);
    expect(expectDone(place.run(copy, directory))).toContain("copied");
    expect(objectsOf(thereOf(directory))).toEqual(objectsOf(directory));
    expect(expectDone(place.run(copy, directory))).toContain("nothing to do");
  });

  it("names the command that verifies what is there now", () => {
    const directory = begin();
    const [, next = ""] = /^next: (.*)$/mu.exec(expectDone(place.run(copy, directory))) ?? [];
    const here = expectDone(place.run("sealaunch verify", directory));
    expect(expectDone(place.run(next, directory))).toBe(here);
    const statement = join(thereOf(directory), "secrets/bundles/dns/0.2/statement.json");
    writeFileSync(statement, readFileSync(statement, "utf8").replace("dns.service", "bad.service"));
    expectRefused(place.run(next, directory), "signature/invalid");
    expect(expectDone(place.run("sealaunch verify", directory))).toBe(here);
  });

  it("says what isn't whole that nobody needs, and carries the rest", () => {
    const directory = begin();
    rmSync(join(directory, "keys/roster/2"), { recursive: true });
    const card = join(directory, "keys/nodes/n1/card.json");
    writeFileSync(card, readFileSync(card, "utf8").slice(1));
    const { status, stderr } = place.run(copy, directory);
    expect(status).toBe(0);
    const left = [
      "the roster: what came before generation 3 isn't there, or isn't what it names; it isn't carried",
      "the card of n1 isn't whole; it isn't carried",
    ];
    expect(stderr).toBe(left.map((line) => `warning: dir:${directory}: ${line}\n`).join(""));
    expect(existsSync(join(thereOf(directory), "keys/roster/1"))).toBe(false);
    expect(existsSync(join(thereOf(directory), "keys/nodes/n1"))).toBe(false);
    expect(existsSync(join(thereOf(directory), "keys/roster/3"))).toBe(true);
  });

  it("asks before it writes, and a refusal writes nothing", () => {
    const directory = begin();
    const asked = place.run(copy.replace(" --yes", ""), directory);
    expectRefused(asked, "usage/invalid");
    expect(existsSync(thereOf(directory))).toBe(false);
  });

  it("brings later what has come since, and leaves alone what is newer there", () => {
    const directory = begin();
    expectDone(place.run(copy, directory));
    expectDone(place.run("sealaunch seal dns --generate NEW", directory));
    expectDone(place.run("sealaunch roster add-pool db --yes", directory));
    expectDone(place.run(copy, directory));
    expect(objectsOf(thereOf(directory))).toEqual(objectsOf(directory));
    const back = "sealaunch copy --from dir:../there --to dir:../old --yes";
    cpSync(place.directory, join(directory, "../old"), { recursive: true });
    expectDone(place.run(back, directory));
    expect(objectsOf(join(directory, "../old"))).toEqual(objectsOf(directory));
    const other = "sealaunch copy --from dir:. --to dir:../there --yes";
    const older = place.copy();
    expectDone(place.run(other, older));
    expect(objectsOf(thereOf(directory))).toEqual(objectsOf(directory));
    rmSync(join(directory, "../old"), { recursive: true });
  });

  it("goes on where it was stopped, and never names what isn't there", () => {
    const directory = begin();
    expectDone(place.run(copy, directory));
    const whole = objectsOf(thereOf(directory));
    // Whatever of it was written last is missing: the roster, then statements, then the hidden.
    for (const gone of [
      "keys/roster/4",
      "secrets/bundles/dns/0.2",
      "secrets/headers",
      "keys/entries",
    ]) {
      rmSync(join(thereOf(directory), gone), { recursive: true });
      expectDone(place.run(copy, directory));
      expect(objectsOf(thereOf(directory))).toEqual(whole);
    }
  });

  it("refuses what doesn't verify, and writes nothing", () => {
    const directory = begin();
    const values = join(directory, "secrets/bundles/dns/values");
    const [name = ""] = readdirSync(values);
    writeFileSync(join(values, name), "altered");
    expectRefused(place.run(copy, directory), "payload/hash");
    expect(existsSync(thereOf(directory))).toBe(false);
  });

  it("refuses a generation of which the other source has another", () => {
    const directory = begin();
    expectDone(place.run(copy, directory));
    expectDone(place.run("sealaunch seal dns --generate A", directory));
    const other = place.copy();
    expectDone(place.run("sealaunch seal dns --generate B", other));
    expectDone(place.run(copy, other));
    expectRefused(place.run(copy, directory), "generation/conflict");
    expect(objectsOf(thereOf(directory))).toEqual(objectsOf(other));
  });

  it("takes only the bundles that are named, with whom to trust", () => {
    const directory = begin();
    expectDone(
      place.run("sealaunch roster add-signer bea bea.pub --name dns --name web --yes", directory),
    );
    const seal = "sealaunch seal web A=token --pool web --in-place --signer bea.pub";
    expectDone(place.run(seal, directory));
    expectDone(place.run(copy.replace("copy", "copy dns"), directory));
    expect(readdirSync(join(thereOf(directory), "secrets/bundles"))).toEqual(["dns"]);
  });
});
