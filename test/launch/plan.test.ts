import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Failure } from "../../src/failure.ts";
import { parseEnvironment, planEnvironment, type Variable } from "../../src/launch/environment.ts";
import { quote, refusalPlan, startPlan } from "../../src/launch/plan.ts";
import { count, seed } from "../soak.ts";

// Judged by the real shells: whatever they make of a plan is what it means.
const shells = ["/bin/dash", "/bin/bash"].filter((path) => existsSync(path));

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const printf = utf8("printf %s ");

/** What a shell prints for a script, in an environment of its own. */
function evaluate(shell: string, script: Uint8Array, locale = "C"): Buffer {
  const args = shell.endsWith("bash") ? ["--posix", "-s"] : ["-s"];
  const { stdout, stderr, status } = spawnSync(shell, args, {
    input: script,
    env: { LC_ALL: locale },
  });
  expect({ stderr: stderr.toString(), status }).toEqual({ stderr: "", status: 0 });
  return stdout;
}

const bytes = fc.uint8Array({ min: 1, maxLength: 200 });

describe.each(shells)("a word in a plan, read by %s", (shell) => {
  it("is every byte but NUL", () => {
    const all = Uint8Array.from({ length: 255 }, (_, at) => at + 1);
    for (const locale of ["C", "C.UTF-8"]) {
      const script = Buffer.concat([printf, quote(all)]);
      expect(evaluate(shell, script, locale)).toEqual(Buffer.from(all));
    }
  });

  it("is any bytes, and one word", () => {
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1, maxLength: 20 }), (words) => {
        const script = Buffer.concat([
          utf8("printf '<%s>' "),
          ...words.flatMap((word) => [quote(word), utf8(" ")]),
        ]);
        const expected = Buffer.concat(words.flatMap((word) => [utf8("<"), word, utf8(">")]));
        expect(evaluate(shell, script)).toEqual(expected);
      }),
      { numRuns: count(500), seed },
    );
  });

  it("comes through command substitution and eval, as in bin/sealaunch", () => {
    fc.assert(
      fc.property(bytes, (value) => {
        const plan = startPlan({
          change: {
            exported: [{ name: utf8("SECRET"), value }],
            unset: [],
            passed: [{ name: utf8("odd.name"), value }],
          },
          freeze: false,
          command: ["/usr/bin/setpriv", "--"],
          user: undefined,
          env: "/usr/bin/env",
          warnings: [],
        });
        const script = Buffer.concat([
          utf8(
            'sealaunch_become() { exec "$@"; }\nset -- /bin/cat /proc/self/environ\nplan=$(printf %s ',
          ),
          quote(plan),
          utf8(')\neval "$plan"\nexit 70\n'),
        ]);
        const environment = parseEnvironment(evaluate(shell, script));
        const valueOf = (wanted: string): Uint8Array | undefined =>
          environment.find(({ name }) => Buffer.from(name).toString() === wanted)?.value;
        expect(Buffer.from(valueOf("SECRET") ?? [])).toEqual(Buffer.from(value));
        expect(Buffer.from(valueOf("odd.name") ?? [])).toEqual(Buffer.from(value));
      }),
      { numRuns: count(300), seed },
    );
  });

  it("prints a refusal as two lines without control characters, and ends with its status", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const failure = new Failure("closure/unavailable", text, text);
        const { stdout, stderr, status } = spawnSync(shell, ["-s"], {
          input: refusalPlan(failure, [text]),
        });
        expect(stdout.length).toBe(0);
        expect(stderr.toString()).toMatch(
          /^warning: [^\0-\x1f\x7f]*\nerror: [^\0-\x1f\x7f]*\nhint: [^\0-\x1f\x7f]*\n$/u,
        );
        expect(status).toBe(75);
      }),
      { numRuns: count(300), seed },
    );
  });
});

describe("a plan's frame", () => {
  it("is a first and a last line, which nothing in between can be", () => {
    const plan = Buffer.from(refusalPlan(new Failure("bundle/absent", "#end\n#end"))).toString();
    expect(plan.startsWith(": sealaunch-plan-1\n")).toBe(true);
    expect(plan.endsWith("\n#end\n")).toBe(true);
    expect(plan.split("\n").filter((line) => line === "#end").length).toBe(1);
  });
});

describe("an environment", () => {
  const variable = (name: string, value = "v"): Variable => ({
    name: utf8(name),
    value: utf8(value),
  });

  it("is read as proc(5) has it: empty values, no '=', no last NUL", () => {
    const read = parseEnvironment(utf8("A=1\0B=\0C\0=D\0E=a=b\0\0F=last"));
    const text = (part: Uint8Array): string => Buffer.from(part).toString();
    expect(read.map(({ name, value }) => [text(name), text(value)])).toEqual([
      ["A", "1"],
      ["B", ""],
      ["E", "a=b"],
      ["F", "last"],
    ]);
  });

  it("loses what is replaced, and puts into arguments only what no shell carries", () => {
    const original = [variable("HOME"), variable("a.b"), variable("PASSWORD"), variable("OLDPWD")];
    const change = planEnvironment(original, [variable("HOME", "/new")]);
    const names = (variables: readonly Variable[]): string[] =>
      variables.map(({ name }) => Buffer.from(name).toString());
    expect(names(change.passed)).toEqual(["a.b"]);
    expect(names(change.exported)).toEqual(["OLDPWD", "HOME"]);
    expect(change.unset).toContain("PWD");
  });
});
