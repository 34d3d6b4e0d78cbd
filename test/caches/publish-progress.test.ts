import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cleanEnvironment, sealaunchPath } from "../fixtures/program.ts";
import { Publisher } from "../fixtures/published.ts";
import { PutServer } from "../fixtures/put-server.ts";

const mebibytes = 20;
let publisher: Publisher;
beforeAll(() => {
  publisher = new Publisher(mebibytes * 1024 * 1024);
});
afterAll(() => {
  publisher[Symbol.dispose]();
});

/** How far publishing was, in MiB, as a terminal (script(1)) shows it when each piece takes 25 ms to write. */
async function shownOf(to: string): Promise<number[]> {
  const trace = "strace -f -qqq -o /dev/null -e trace=write,writev";
  const slowed = `${trace} -e inject=write,writev:delay_exit=25000`;
  const command = [slowed, sealaunchPath, ...publisher.command(to)].join(" ");
  const { stdout } = await promisify(execFile)("script", ["-qec", command, "/dev/null"], {
    cwd: publisher.store.root,
    env: cleanEnvironment,
  });
  expect(stdout).toContain("published 4 store paths");
  // The small paths are not a MiB together, and come to one more.
  const all = stdout.matchAll(/packed and sent, MiB (\d+) of (\d+)/gu);
  return [...all].map(([, number, count]) => {
    expect(Number(count)).toBe(mebibytes + 1);
    return Number(number);
  });
}

it("says at a terminal how far it is within one large archive, while that is packed", async () => {
  const shown = await shownOf(`file://${join(publisher.store.root, "cache")}`);
  expect(shown).toEqual(shown.toSorted((one, other) => one - other));
  const within = new Set(shown.filter((number) => number > 1 && number < mebibytes));
  expect(within.size).toBeGreaterThan(3);
});

it("says so while it is sent, which is the second half of it", async () => {
  await using server = await PutServer.start();
  const shown = await shownOf(server.url);
  expect(shown).toEqual(shown.toSorted((one, other) => one - other));
  const half = mebibytes / 2 + 1;
  const within = (from: number, to: number): number =>
    new Set(shown.filter((number) => number > from && number < to)).size;
  expect(within(1, half)).toBeGreaterThan(1);
  expect(within(half, mebibytes)).toBeGreaterThan(1);
});
