import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The folder with public test vectors, if this machine has one. */
const testData = process.env["SEALAUNCH_TEST_DATA"];

/** Why tests that need {@link testData} are skipped; undefined if they aren't. */
export const withoutTestData =
  testData === undefined || testData === ""
    ? "SEALAUNCH_TEST_DATA doesn't name a folder of test vectors"
    : undefined;

/** The JSON in a file of {@link testData}. */
export function readTestData(path: string): unknown {
  return JSON.parse(readFileSync(join(testData ?? "", path), "utf8"));
}
