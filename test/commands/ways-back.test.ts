import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exitStatus, failures, type FailureCode } from "../../src/failure.ts";
import { refusalLines } from "../fixtures/program.ts";
import { workedExample, Workplace, type Outcome } from "../fixtures/worked-example.ts";

let place: Workplace;
beforeEach(() => {
  place = new Workplace();
  for (const { command } of workedExample) {
    if (command.startsWith("sealaunch verify")) return;
    expectDone(command);
  }
});
afterEach(() => {
  place[Symbol.dispose]();
});

function expectDone(command: string): string {
  const { status, stdout, stderr } = place.run(command);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout;
}

function expectRefused(command: string, code: FailureCode): Outcome {
  const ended = place.run(command);
  expect(ended.stderr).toMatch(refusalLines);
  expect(ended.status).toBe(exitStatus[failures[code][0]]);
  return ended;
}

describe("roster set-minimum", () => {
  it("puts generations out of use, and the next seal takes up there", () => {
    const { status, stderr } = place.run("sealaunch roster set-minimum dns 5 --yes");
    expect(status).toBe(0);
    expect(stderr).toContain("until somebody seals 5");
    expectRefused("sealaunch verify dns", "bundle/below-minimum");
    expect(expectDone("sealaunch seal dns --generate TOKEN")).toContain("sealed dns 5 ");
    expectDone("sealaunch verify dns");
  });

  it("never lets back in what was put out of use", () => {
    expect(place.run("sealaunch roster set-minimum dns 5 --yes").status).toBe(0);
    const { stderr } = expectRefused("sealaunch roster set-minimum dns 4 --yes", "usage/invalid");
    expect(stderr).toContain("5");
    expect(expectDone("sealaunch roster set-minimum dns 5 --yes")).toContain("nothing to do");
  });
});

describe("roster set-series", () => {
  it("begins the generations of a name anew, and nothing before counts", () => {
    expect(expectDone("sealaunch roster set-series dns 1 --yes")).toContain("series 1");
    expectRefused("sealaunch verify dns", "bundle/absent");
    const sealed = expectDone("sealaunch seal dns --generate TOKEN --pool web --in-place");
    expect(sealed).toContain("sealed dns 1.1 ");
    expectDone("sealaunch verify dns");
    expectRefused("sealaunch roster set-series dns 0 --yes", "usage/invalid");
  });
});
