import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const page = readFileSync(join(root, "SECURITY.md"), "utf8").replace(/\s+/gu, " ");

/** The page names tests as `test/FILE.test.ts`: "title", "title". */
const named = [...page.matchAll(/`(test\/[^`]+\.test\.ts)`:((?:,? "[^"]+")+)/gu)].flatMap(
  ([, file = "", titles = ""]) =>
    [...titles.matchAll(/"([^"]+)"/gu)].map(([, title = ""]) => ({ file, title })),
);

/** A test's text and that of its fixtures: titles may stand in a table there. */
function textOfTest(file: string): string {
  const path = join(root, file);
  if (!existsSync(path)) return "";
  const text = readFileSync(path, "utf8");
  const fixtures = [...text.matchAll(/from "(\.[^"]*fixtures\/[^"]+)"/gu)].map(([, fixture = ""]) =>
    readFileSync(join(dirname(path), fixture), "utf8"),
  );
  return [text, ...fixtures].join("\n");
}

it("SECURITY.md names the tests of its promises, each by its title", () => {
  const mentions = [...page.matchAll(/`test\/[^`]+\.test\.ts`/gu)].length;
  expect(new Set(named.map(({ file }) => file)).size).toBeGreaterThan(0);
  expect(named.length).toBeGreaterThanOrEqual(mentions);
  const missing = named.filter(({ file, title }) => !textOfTest(file).includes(title));
  expect(missing).toEqual([]);
});
