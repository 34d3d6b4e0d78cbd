import { cpSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { atTerminal } from "../fixtures/terminal.ts";
import { Workplace } from "../fixtures/worked-example.ts";

let place: Workplace;
let here: string;
beforeAll(() => {
  place = Workplace.followed("sealaunch seal");
});
afterAll(() => {
  place[Symbol.dispose]();
});
beforeEach(() => {
  here = mkdtempSync(join(place.top, "copy-"));
  cpSync(place.directory, here, { recursive: true });
});

const seal = "sealaunch seal dns CF_TOKEN --pool web --in-place";
const question = "value of CF_TOKEN (one line):";

describe("a prompt for a secret", () => {
  it("takes what is typed, and shows nothing of it", async () => {
    const { status, shown } = await atTerminal(place, here, seal, [question, "hunter2\r"]);
    expect(status).toBe(0);
    expect(shown).not.toContain("hunter2");
    expect(place.run("sealaunch open dns --identity operator.identity", here).stdout).toBe(
      "hunter2",
    );
  });

  it.for([
    ["the end of input", "\u0004"],
    ["Ctrl-C", "\u0003"],
  ])("ends at %s, with nothing sealed", async ([, typed = ""]) => {
    const { status, shown } = await atTerminal(place, here, seal, [question, typed]);
    expect(status).toBe(77);
    expect(shown).toContain("error: the prompt was left without an answer");
    expect(shown).toContain("hint: give it by file");
    expect(place.run("sealaunch inspect dns", here).status).toBe(66);
  });
});

const add = "sealaunch roster add-pool db";
const signing = "sign roster 4 as";

describe("a question before trust changes", () => {
  it("changes it on a yes", async () => {
    const { status } = await atTerminal(place, here, add, [signing, "y\r"]);
    expect(status).toBe(0);
    expect(place.run("sealaunch roster show", here).stdout).toMatch(/^db /mu);
  });

  it("changes nothing where only Enter is typed", async () => {
    const { status } = await atTerminal(place, here, add, [signing, "\r"]);
    expect(status).toBe(77);
    expect(place.run("sealaunch roster show", here).stdout).not.toMatch(/^db /mu);
  });
});
