import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exitStatus, failures } from "../../src/failure.ts";
import { expectDone, expectRefused } from "../fixtures/ended.ts";
import { sealaunchPath } from "../fixtures/program.ts";
import { Workplace } from "../fixtures/worked-example.ts";
import { chance, count } from "../soak.ts";

let place: Workplace;
beforeAll(() => {
  place = Workplace.followed();
});
afterAll(() => {
  place[Symbol.dispose]();
});

const generations = [4, 5, 6, 7, 8];
const passes = count(600);
const refusedStatus = exitStatus[failures["mark/rolled-back"][0]];

/** Where one can see the source as it was when its roster had that number. */
const snapshot = (generation: number): string => join(place.top, `at-${String(generation)}`);

/** A member's pass over the source as it was then; killed after so many milliseconds, unless undefined. */
function pass(generation: number, killAfter: number | undefined): Promise<number | null> {
  const configuration = join(snapshot(generation), "n1/node.json");
  const words = ["rewrap", "--dry-run", "--config", configuration];
  const child = spawn(sealaunchPath, words, {
    env: place.environment(place.directory),
    stdio: "ignore",
    ...(killAfter === undefined ? {} : { timeout: killAfter, killSignal: "SIGKILL" }),
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
}

describe("a node's marks", () => {
  it(`are lowered, lost or halved by none of ${String(passes)} passes at once, of which some are killed`, async () => {
    const state = join(place.top, "shared");
    mkdirSync(state);
    for (const generation of generations) {
      const here = snapshot(generation);
      cpSync(place.directory, here, { recursive: true });
      const file = join(here, "n1/node.json");
      const node = JSON.parse(readFileSync(file, "utf8")) as object;
      const own = { source: "dir:..", identity: join(here, "n1/identity"), state };
      writeFileSync(file, JSON.stringify({ ...node, ...own }));
      expectDone(place.run("sealaunch roster sign --renew --yes"));
    }
    const [cluster = ""] = readdirSync(join(place.home, "..", "repository.state/sealaunch/marks"));
    const marks = join(state, "marks", cluster, "roster");
    const random = chance("marks");
    for (let left = passes; left > 0; left -= 12) {
      // Each round begins as a new node does, so that there is something to race for.
      rmSync(join(state, "marks"), { recursive: true, force: true });
      const seen = await Promise.all(
        Array.from({ length: Math.min(12, left) }, async () => {
          const generation = generations[Math.floor(random() * generations.length)] ?? 4;
          const killAfter = random() < 0.3 ? 50 + Math.floor(random() * 300) : undefined;
          const status = await pass(generation, killAfter);
          if (killAfter === undefined) expect([0, refusedStatus]).toContain(status);
          return status === 0 ? generation : 0;
        }),
      );
      const names = (existsSync(marks) ? readdirSync(marks) : []).filter(
        (name) => !name.startsWith("."),
      );
      const numbers = names.map((name) => Number(name.slice("0.".length)));
      // A killed pass may have marked more than any that ended.
      expect(Math.max(0, ...numbers)).toBeGreaterThanOrEqual(Math.max(...seen));
      for (const [index, name] of names.entries()) {
        const number = numbers[index] ?? 0;
        const roster = join(snapshot(number), "keys/roster", String(number), "roster.json");
        const hash = createHash("sha256").update(readFileSync(roster)).digest("hex");
        expect(readFileSync(join(marks, name), "utf8")).toBe(`${hash}\n`);
      }
    }
    expect(await pass(8, undefined)).toBe(0);
    const older = `sealaunch rewrap --dry-run --config ${snapshot(7)}/n1/node.json`;
    const { stderr } = expectRefused(place.run(older), "mark/rolled-back");
    expect(stderr).toContain("error: roster is at 7 in the source, this machine has seen 8\n");
  });
});
