import { expect, it } from "vitest";
import { cacheFaults, hintOf } from "./fixtures/cache-faults.ts";
import { textOfFile } from "./source.ts";

const page = textOfFile("docs/operating.md");
const section = /^### What a cache can do wrong$(.*?)^##/msu.exec(page)?.[1] ?? "";

/** The cells of the table's rows, without its head. */
const rows = section
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .slice(2)
  .map((line) => [...line.slice(1, -1).split("|")].map((cell) => cell.trim()));

it("what a cache can do wrong stands on the page as the tests of caches try it", () => {
  const tried = cacheFaults.map((fault) => {
    const { of, what, code, says } = fault;
    return [of, what, code === undefined ? "it starts" : `\`${code}\``, says, hintOf(fault)];
  });
  expect(rows).toEqual(tried);
});
