import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { cleanEnvironment, sealaunchPath } from "../fixtures/program.ts";
import { Workplace } from "../fixtures/worked-example.ts";

/** The calls of a command that make names or bring them to the disk, with descriptors as paths. */
function traced(place: Workplace, command: string): string[] {
  const log = join(place.top, "calls");
  const calls = "trace=mkdir,rename,fsync";
  const words = ["-f", "-qqq", "-y", "-s", "4096", "-o", log, "-e", calls];
  const { status } = spawnSync("strace", [...words, "sh", "-c", `exec ${command}`], {
    cwd: place.directory,
    input: "",
    env: {
      // One thread, so that what is logged is in order and no call in two pieces.
      UV_THREADPOOL_SIZE: "1",
      PATH: `${dirname(sealaunchPath)}:${cleanEnvironment.PATH}`,
      HOME: place.home,
    },
  });
  expect(status).toBe(0);
  return readFileSync(log, "utf8").split("\n");
}

describe("a folder that a command makes", () => {
  it("is on the disk with every folder above it that it made too", () => {
    using place = Workplace.followed("sealaunch init");
    const calls = traced(place, "sealaunch init --operator operator.identity --yes");
    const made = readdirSync(join(place.directory, "keys"), {
      recursive: true,
      withFileTypes: true,
    })
      .filter((one) => one.isDirectory())
      .map(({ parentPath, name }) => join(parentPath, name));
    for (const folder of [join(place.directory, "keys"), ...made]) {
      const isWithin = made.some((other) => other === dirname(folder));
      const name = calls.findLastIndex(
        (call) => call.includes(`"${folder}"`) && call.endsWith("= 0"),
      );
      // What comes with the folder that it is in was made under that one's name before.
      if (name === -1 && isWithin) continue;
      const isSynced = (call: string): boolean =>
        call.includes("fsync(") && call.includes(`<${dirname(folder)}>`) && call.endsWith("= 0");
      expect(calls.slice(name).some(isSynced), folder).toBe(true);
      expect(name, folder).toBeGreaterThan(-1);
    }
    expect(made).toContain(join(place.directory, "keys/roster"));
  });
});
