import type { Reporter, TestCase, TestModule } from "vitest/node";
import { seed } from "./soak.ts";
import { skips } from "./skips.ts";

/**
 * Ends the output with one line `N passed, N failed`. Where nothing may be skipped (CI=true) it
 * counts a skip for any reason outside test/skips.ts as a failure, and fails the run.
 */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const passed = tests.filter((test) => test.result().state === "passed").length;
    const skipped = tests.filter((test) => test.result().state === "skipped");
    const unexplained =
      process.env["CI"] === "true" ? skipped.filter((test) => !isAllowed(test)) : [];
    for (const test of unexplained) {
      process.stdout.write(`skipped without an allowed reason: ${test.fullName}\n`);
    }
    for (const reason of new Set(skipped.map(reasonOf))) {
      const number = skipped.filter((test) => reasonOf(test) === reason).length;
      process.stdout.write(`${String(number)} skipped: ${reason}\n`);
    }
    // Beside failed tests: what script/test found before, files that can't be loaded, hooks.
    const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const failed =
      Number(process.env["SEALAUNCH_FAILED_BEFORE"] ?? "0") +
      tests.filter((test) => test.result().state === "failed").length +
      suites.filter((suite) => suite.errors().length > 0).length +
      errors.length +
      unexplained.length;
    if (failed > 0) process.exitCode = 1;
    process.stdout.write(
      `seed ${String(seed)}\n${String(passed)} passed, ${String(failed)} failed\n`,
    );
  }
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  const note = result.state === "skipped" ? result.note : undefined;
  return note ?? skips.find((reason) => test.fullName.includes(reason)) ?? "no reason given";
}

function isAllowed(test: TestCase): boolean {
  return skips.some((reason) => reason === reasonOf(test));
}
