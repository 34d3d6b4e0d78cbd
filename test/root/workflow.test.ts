import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { builtPackage } from "../fixtures/package.ts";
import { Repository } from "../fixtures/repository.ts";
import { workflowStep } from "../fixtures/workflow.ts";

// Beside the other tests that need the package, which takes long to build.
describe("docs/ci/github.yml", () => {
  const repository = new Repository();
  const temporary = mkdtempSync(join(tmpdir(), "sealaunch-ci-"));
  const added = join(temporary, "path");
  afterAll(() => {
    rmSync(temporary, { recursive: true });
    repository[Symbol.dispose]();
  });

  it("installs exactly the bytes that were named", () => {
    const file = builtPackage();
    const hash = createHash("sha256").update(readFileSync(file)).digest("hex");
    const here = repository.copy();
    const install = (sum: string): number | null => {
      const set = `export RUNNER_TEMP=${temporary} GITHUB_PATH=${added} PACKAGE=file://${file} PACKAGE_SHA256=${sum}`;
      const script = workflowStep("Install exactly the bytes that the hash names");
      return repository.run(`set -e\n${set}\n${script}`, here).status;
    };
    writeFileSync(added, "");
    expect(install("0".repeat(64))).not.toBe(0);
    expect(readFileSync(added, "utf8")).toBe("");
    expect(install(hash)).toBe(0);
    const bin = readFileSync(added, "utf8").trim();
    expect(repository.mustRun(`${bin}/sealaunch verify`, here)).toMatch(/^bundle dns +2 +good$/mu);
  });
});
