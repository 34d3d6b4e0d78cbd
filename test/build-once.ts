import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Builds dist/ once before all tests, which run the built program. */
export function setup(): void {
  const root = join(import.meta.dirname, "..");
  execFileSync(process.execPath, [join(root, "build.ts")], { cwd: root, stdio: "inherit" });
}
