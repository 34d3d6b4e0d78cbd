import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openMarks } from "../../src/cluster/marks.ts";
import { utf8 } from "../../src/crypto/bytes.ts";
import { refusal } from "../fixtures/refusal.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sealaunch-marks-"));
});
afterEach(() => rm(directory, { recursive: true }));

const see = (generation: number, text = "bytes", series = 0): Promise<string> =>
  refusal(() => openMarks(directory).see("bundles/dns", { series, generation }, utf8(text)));

it("lets generations rise and stay, and refuses one that falls", async () => {
  expect(await see(3)).toBe("none");
  expect(await see(3)).toBe("none");
  expect(await see(5)).toBe("none");
  expect(await see(4)).toBe("mark/rolled-back");
  expect(await readdir(join(directory, "bundles/dns"))).toEqual(["0.5"]);
});

it("refuses other bytes under the same number", async () => {
  expect(await see(3)).toBe("none");
  expect(await see(3, "other bytes")).toBe("mark/equivocation");
});

it("puts a later series above every generation of an earlier one", async () => {
  expect(await see(1000)).toBe("none");
  expect(await see(1, "bytes", 1)).toBe("none");
  expect(await see(2000)).toBe("mark/rolled-back");
});

it("takes no generation that is beyond all history, on a machine that was away or is new", async () => {
  expect(await see(2 ** 48)).toBe("generation/leap");
  expect(await see(17)).toBe("none");
  expect(await see(17 + 2 ** 32 + 1)).toBe("generation/leap");
  expect(await see(2 ** 48, "bytes", 1)).toBe("generation/leap");
  expect(await readdir(join(directory, "bundles/dns"))).toEqual(["0.17"]);
  // As many as anybody could sign in a life-time.
  expect(await see(17 + 2 ** 32)).toBe("none");
});

it("refuses to go on over a mark that can't be read", async () => {
  expect(await see(3)).toBe("none");
  await writeFile(join(directory, "bundles/dns/0.3"), "");
  expect(await see(4)).toBe("mark/corrupt");
});

it("never loses the highest of many that are seen at the same time", async () => {
  for (let round = 0; round < 5; round++) {
    const base = round * 20;
    const seen = Array.from({ length: 20 }, (_, index) => see(base + index + 1));
    const outcomes = new Set(await Promise.all(seen));
    outcomes.delete("none");
    outcomes.delete("mark/rolled-back");
    expect([...outcomes]).toEqual([]);
    expect(await see(base + 19)).toBe("mark/rolled-back");
  }
});
