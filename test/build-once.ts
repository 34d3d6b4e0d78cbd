import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

// How many inotify(7) instances all processes of root's may have, of which a machine has some eight: by default 128,
// which the tests that have most machines nearly use up alone.
const inotifyLimit = "/proc/sys/fs/inotify/max_user_instances";
const instances = 1024;
let before: string | undefined;

/** Has room for the machines of several files at once, where this may say so: as root who may mount. */
function raiseInotifyLimit(): void {
  const now = readFileSync(inotifyLimit, "utf8");
  if (Number(now) >= instances) return;
  try {
    writeFileSync(inotifyLimit, String(instances));
    before = now;
  } catch (error) {
    if (!["EACCES", "EPERM", "EROFS"].includes((error as NodeJS.ErrnoException).code ?? "")) {
      throw error;
    }
  }
}

/** Builds dist/ once before all tests, which run the built program. */
export function setup(project: TestProject): void {
  raiseInotifyLimit();
  const root = join(import.meta.dirname, "..");
  execFileSync(process.execPath, [join(root, "build.ts")], { cwd: root, stdio: "inherit" });
  project.provide("snapshots", snapshots);
  project.provide("packages", packages);
}

/** Leaves nothing behind but dist/. */
export function teardown(): void {
  if (before !== undefined) writeFileSync(inotifyLimit, before);
  for (const place of [snapshots, packages]) rmSync(place, { recursive: true, force: true });
}
