import { randomInt } from "node:crypto";
import { defineConfig } from "vitest/config";

// Before anything reads it: all files of a run choose by the same seed.
process.env["SEALAUNCH_SEED"] ??= String(randomInt(2 ** 31));
const { ClosingLine } = await import("./test/closing-line.ts");

const isRoot = process.getuid?.() === 0;
if (!isRoot && process.env["CI"] === "true")
  throw new Error("with CI=true all tests run, and those of test/root/ need root");

const soak = process.env["SEALAUNCH_SOAK"] === "1" ? 20 : 1;

export default defineConfig({
  test: {
    globalSetup: "test/build-once.ts",
    reporters: ["default", new ClosingLine()],
    projects: [
      {
        test: {
          name: "plain",
          include: ["test/**/*.test.ts"],
          exclude: ["test/root/**", "test/machines/**"],
          testTimeout: 30_000 * soak,
          hookTimeout: 60_000,
        },
      },
      ...(isRoot
        ? [
            {
              test: {
                name: "root",
                include: ["test/root/**/*.test.ts"],
                // They share the machine's store, mounts and ports: one file after the other.
                fileParallelism: false,
                testTimeout: 300_000 * soak,
                hookTimeout: 300_000,
                // After the others, which would disturb what these measure.
                sequence: { groupOrder: 1 },
              },
            },
            {
              test: {
                name: "machines",
                include: ["test/machines/**/*.test.ts"],
                // Each boots machines, which have two processors like the rest.
                fileParallelism: false,
                testTimeout: 300_000 * soak,
                hookTimeout: 300_000,
                sequence: { groupOrder: 2 },
              },
            },
          ]
        : []),
    ],
  },
});
