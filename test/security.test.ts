import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const page = readFileSync(join(root, "SECURITY.md"), "utf8").replace(/\s+/gu, " ");

/** The page names tests as `test/FILE.test.ts`: "title", "title". */
const named = [...page.matchAll(/`(test\/[^`]+\.test\.ts)`:((?:,? "[^"]+")+)/gu)].flatMap(
  ([, file = "", titles = ""]) =>
    [...titles.matchAll(/"([^"]+)"/gu)].map(([, title = ""]) => ({ file, title })),
);

it("SECURITY.md names the tests of its promises, each by its title", () => {
  const mentions = [...page.matchAll(/`test\/[^`]+\.test\.ts`/gu)].length;
  expect(new Set(named.map(({ file }) => file)).size).toBeGreaterThan(0);
  expect(named.length).toBeGreaterThanOrEqual(mentions);
  const missing = named.filter(({ file, title }) => {
    const path = join(root, file);
    return !existsSync(path) || !readFileSync(path, "utf8").includes(title);
  });
  expect(missing).toEqual([]);
});
