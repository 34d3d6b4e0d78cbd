import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "vitest";
import { exitStatus } from "../../../src/failure.ts";
import { cleanEnvironment, sealaunchPath } from "../../fixtures/program.ts";

/** What only reads, by the real clock. */
export const readings = [
  "verify",
  "verify --strict --identity operator",
  "inspect .",
  "inspect dns --between 2020-01-01 now",
  "inspect billing --node n1",
  "open dns TOKEN --identity operator",
  "rewrap --dry-run --identity operator",
  "rewrap --dry-run --config node.json",
] as const;

const documented = [0, ...Object.values(exitStatus)];

/**
 * Runs the built program where a hostile source lies: whatever that holds, it ends with a status that is
 * documented, and says no more than a refusal in its two lines, after warnings.
 */
export function expectForm(directory: string, reading: string): void {
  const { status, stderr } = spawnSync(sealaunchPath, reading.split(" "), {
    cwd: directory,
    encoding: "utf8",
    env: { ...cleanEnvironment, XDG_STATE_HOME: join(directory, "built") },
  });
  expect(stderr).toMatch(/^(?:warning: [^\n]+\n)*(?:error: [^\n]+\nhint: [^\n]+\n)?$/u);
  expect(documented).toContain(status);
  expect(status).not.toBe(exitStatus.bug);
  expect(status === 0).toBe(!stderr.includes("error: "));
}
