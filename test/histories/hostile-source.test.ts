import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chance, count, seed } from "../soak.ts";
import { Encounter, type Tally } from "./hostile-source/encounter.ts";

// In memory, since every mark waits for the disk.
const memory = "/dev/shm";
const top = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), "sealaunch-hostile-"));
afterAll(() => {
  rmSync(top, { recursive: true });
});

const histories = count(2000);

describe("a hostile source, by what everybody meant", () => {
  const tally: Tally = new Map();

  beforeAll(async () => {
    for (let number = 0; number < histories; number++) {
      using encounter = new Encounter(
        join(top, String(number)),
        chance(`hostile source ${String(number)}`),
        tally,
      );
      try {
        await encounter.live();
      } catch (error) {
        const told = encounter.told.join("\n");
        throw new Error(`history ${String(number)} of seed ${String(seed)}:\n${told}`, {
          cause: error,
        });
      }
    }
  }, 1000 * histories);

  // What is asserted of each is in the histories themselves; these say that each came to something.
  it.each(["start", "pass", "rewrap", "seal", "verify"])(
    "gets nothing unintended from %s",
    (what) => {
      expect(tally.get(`${what} done`)).toBeGreaterThan(histories / 20);
      expect(tally.get(`${what} refused`)).toBeGreaterThan(histories / 20);
    },
  );

  it("gets the built program to end in no other way than it documents", () => {
    expect(tally.get("built program")).toBeGreaterThan(histories / 20);
  });
});
