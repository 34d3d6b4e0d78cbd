import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// Before anything reads it: all files of a run choose by the same seed.
process.env["SEALAUNCH_SEED"] ??= String(randomInt(2 ** 31));
const { ClosingLine } = await import("./test/closing-line.ts");
const { LongestFirst } = await import("./test/longest-first.ts");

const isCi = process.env["CI"] === "true";
const isRoot = process.getuid?.() === 0;
if (!isRoot && isCi)
  throw new Error(
    "with CI=true all tests run, and those of test/root/ and test/machines/ need root",
  );

// What boot.sh does first, and what a container may not be allowed to do.
const mounts = `mount -t tmpfs tmpfs /mnt; mkdir /mnt/upper /mnt/work /mnt/root
  mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root`;
const isolated = ["--mount", "--pid", "--fork", "--mount-proc", "sh", "-euc", mounts];
const canBoot = isRoot && (isCi || spawnSync("unshare", isolated).status === 0);
if (isRoot && !canBoot)
  process.stderr.write("no machine can be booted here: the tests of test/machines/ are left out\n");

const soak = process.env["SEALAUNCH_SOAK"] === "1" ? 20 : 1;

// Files mostly wait: for programs that they run, for machines that boot, for what is due every few seconds. Beyond
// this it is memory that they would share.
const beside = Math.min(8, Math.ceil(1.5 * availableParallelism()));

/** With one another, and after the others, which would disturb what these measure. */
const sequence = { groupOrder: 1 };

/** Ends what would never end. What has to happen within a time says so itself, and is measured. */
const guards = {
  testTimeout: 300_000 * soak,
  hookTimeout: 300_000,
  expect: { poll: { timeout: 60_000 } },
};

const needsNoRoot = {
  ...guards,
  maxWorkers: beside,
  // A module is loaded once a worker, not once a file: what tests import keeps no state of theirs.
  isolate: false,
};

export default defineConfig({
  test: {
    globalSetup: "test/build-once.ts",
    reporters: ["default", new ClosingLine()],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "plain",
          include: ["test/**/*.test.ts"],
          exclude: ["test/histories/**", "test/root/**", "test/machines/**"],
          ...needsNoRoot,
        },
      },
      {
        test: {
          name: "histories",
          include: ["test/histories/**/*.test.ts"],
          ...needsNoRoot,
        },
      },
      ...(isRoot
        ? [
            {
              test: {
                name: "root",
                include: ["test/root/**/*.test.ts"],
                ...guards,
                maxWorkers: beside,
                sequence,
              },
            },
          ]
        : []),
      ...(canBoot
        ? [
            {
              test: {
                name: "machines",
                include: ["test/machines/**/*.test.ts"],
                ...guards,
                maxWorkers: beside,
                sequence,
              },
            },
          ]
        : []),
    ],
  },
});
