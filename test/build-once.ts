import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** Where states of the worked example are kept for the length of a run. */
    readonly snapshots: string;
    /** Where the Debian package is built, for the length of a run. */
    readonly packages: string;
  }
}

const snapshots = mkdtempSync(join(tmpdir(), "sealaunch-snapshots-"));
const packages = mkdtempSync(join(tmpdir(), "sealaunch-packages-"));

/** Builds dist/ once before all tests, which run the built program. */
export function setup(project: TestProject): void {
  const root = join(import.meta.dirname, "..");
  execFileSync(process.execPath, [join(root, "build.ts")], { cwd: root, stdio: "inherit" });
  project.provide("snapshots", snapshots);
  project.provide("packages", packages);
}

/** Leaves nothing behind but dist/. */
export function teardown(): void {
  for (const place of [snapshots, packages]) rmSync(place, { recursive: true, force: true });
}
