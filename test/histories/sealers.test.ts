import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exitStatus, failures } from "../../src/failure.ts";
import { decodeStatement } from "../../src/formats/records/statement.ts";
import { Workplace } from "../fixtures/worked-example.ts";
import { count } from "../soak.ts";

let place: Workplace;
beforeEach(() => {
  place = Workplace.followed("sealaunch verify");
});
afterEach(() => {
  place[Symbol.dispose]();
});

const rounds = count(60);

describe("two who seal one name at once", () => {
  it(`are told which of them was first, and lose nothing in ${String(rounds)} rounds`, () => {
    const made: number[] = [];
    let conflicts = 0;
    for (let round = 1; round <= rounds; round++) {
      const names = [`A${String(round)}`, `B${String(round)}`];
      const both = names
        .map((name) => `(sealaunch seal dns --generate ${name} >${name} 2>&1; echo ${name} $?)`)
        .join(" & ");
      const { stdout } = place.run(`${both} & wait`);
      for (const line of stdout.trim().split("\n")) {
        const [name = "", status] = line.split(" ");
        const output = readFileSync(join(place.directory, name), "utf8");
        if (status === "0") {
          made.push(Number(/^sealed dns ([0-9]+) /u.exec(output)?.[1]));
          continue;
        }
        // As the hint says: look, then run the command again.
        conflicts++;
        expect(Number(status)).toBe(exitStatus[failures["generation/conflict"][0]]);
        expect(output).toContain("somebody else has sealed bundle dns");
        expect(output).toContain("then run the command again");
        const again = place.run(`sealaunch seal dns --generate ${name}`);
        made.push(Number(/^sealed dns ([0-9]+) /u.exec(again.stdout)?.[1]));
      }
    }
    // No number is given twice or left out, whoever's shell spoke first.
    const last = 1 + 2 * rounds;
    expect(made.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 2 * rounds }, (_, index) => index + 2),
    );
    const folder = `secrets/bundles/dns/0.${String(last)}`;
    const { credentials } = decodeStatement(
      readFileSync(join(place.directory, folder, "statement.json")),
    );
    expect(credentials).toHaveLength(1 + 2 * rounds);
    expect(place.run("sealaunch verify dns --identity operator.identity").stderr).toBe("");
    expect(conflicts).toBeGreaterThan(0);
  });
});
