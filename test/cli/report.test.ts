import { describe, expect, it } from "vitest";
import { reportError } from "../../src/cli/report.ts";
import { Failure } from "../../src/failure.ts";
import { printable } from "../../src/printable.ts";

describe("the report of a failure", () => {
  const failure = new Failure("pool/unknown", "the roster has no pool web");

  it("is an error line and a hint line, and the status of its kind", () => {
    expect(reportError(failure, false)).toEqual({
      text: "error: the roster has no pool web\nhint: add it with 'sealaunch roster add-pool', or see 'sealaunch roster show'\n",
      exitStatus: 77,
    });
  });

  it("for programs is one line of JSON with its code", () => {
    const { text, exitStatus } = reportError(failure, true);
    expect(text.indexOf("\n")).toBe(text.length - 1);
    expect(JSON.parse(text)).toEqual({
      code: "pool/unknown",
      message: "the roster has no pool web",
      hint: "add it with 'sealaunch roster add-pool', or see 'sealaunch roster show'",
    });
    expect(exitStatus).toBe(77);
  });

  const hostile = "a\u001b[2Jb\nc\u009bd\u202ee\u2028f\u{e0041}";

  it("can't steer the terminal", () => {
    const { text } = reportError(new Failure("usage/invalid", hostile, hostile), false);
    const escaped = "a\\u001b[2Jb\\u000ac\\u009bd\\u202ee\\u2028f\\udb40\\udc41";
    expect(text).toBe(`error: ${escaped}\nhint: ${escaped}\n`);
  });

  it("has its middle left out where it repeats an argument that nobody reads to its end", () => {
    const long = new Failure("usage/bad-name", `begin ${"x".repeat(100_000)} end`);
    const { text } = reportError(long, false);
    expect(text).toMatch(
      /^error: begin x+ \[\.\.\. 98010 more characters \.\.\.\] x+ end\nhint: .+\n$/u,
    );
    expect(text.length).toBeLessThan(2_500);
    expect(JSON.parse(reportError(long, true).text)).toMatchObject({ message: long.message });
  });

  it("for programs keeps every character, escaped", () => {
    const { text } = reportError(new Failure("usage/invalid", hostile), true);
    expect(printable(text.trimEnd())).toBe(text.trimEnd());
    expect(JSON.parse(text)).toMatchObject({ message: hostile });
  });
});

describe("the report of a bug", () => {
  it("has the stack after the two lines, and status 70", () => {
    const { text, exitStatus } = reportError(new Error("internal: no chunk"), false);
    expect(text).toMatch(/^error: internal: no chunk\nhint: [^\n]+\n( {4}at [^\n]+\n)+$/u);
    expect(exitStatus).toBe(70);
  });

  it("names the kind of an error that isn't ours", () => {
    const { text } = reportError(new TypeError("x is\nundefined"), false);
    expect(text).toMatch(/^error: internal: TypeError: x is\\u000aundefined\nhint: /u);
  });

  it("doesn't quote the text that a parser couldn't read", () => {
    const parse = (): unknown => JSON.parse("hunter2");
    expect(parse).toThrow(/hunter2/u);
    try {
      parse();
    } catch (error) {
      expect(reportError(error, false).text).not.toContain("hunter2");
      expect(reportError(error, true).text).not.toContain("hunter2");
    }
  });

  it("for programs has a code of its own, and no stack", () => {
    const { text } = reportError(new Error("internal: no chunk"), true);
    expect(JSON.parse(text)).toMatchObject({
      code: "internal/bug",
      message: "internal: no chunk",
    });
  });

  it("says what was thrown where that is no error", () => {
    expect(reportError("secret", false).text).toMatch(/^error: internal: a string was thrown\n/u);
  });
});
