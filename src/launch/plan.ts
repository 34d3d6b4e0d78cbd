import { concatBytes, utf8 } from "../crypto/bytes.ts";
import type { Failure } from "../failure.ts";
import { printable } from "../printable.ts";
import type { EnvironmentChange } from "./environment.ts";

// A plan is the only thing that the launcher tells the shell: a few lines of POSIX sh between two
// fixed ones, of which the shell checks both. Every word in it is quoted here.
const first = utf8(": sealaunch-plan-1\n");
const last = utf8("#end\n");

/**
 * `bytes` as one word of POSIX sh: between single quotes nothing has a meaning but the quote.
 * They may be any but NUL.
 */
export function quote(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [utf8("'")];
  let from = 0;
  for (let at = bytes.indexOf(0x27); at >= 0; at = bytes.indexOf(0x27, from)) {
    parts.push(bytes.subarray(from, at), utf8("'\\''"));
    from = at + 1;
  }
  return concatBytes(...parts, bytes.subarray(from), utf8("'"));
}

function line(...words: readonly (Uint8Array | string)[]): Uint8Array {
  const spaced = words.flatMap((word) => [typeof word === "string" ? utf8(word) : word, utf8(" ")]);
  return concatBytes(...spaced.slice(0, -1), utf8("\n"));
}

function printLines(lines: readonly string[]): Uint8Array {
  const words = lines.map((text) => quote(utf8(printable(text))));
  return lines.length === 0 ? utf8("") : line("printf", "'%s\\n'", ...words, ">&2");
}

/** A plan that prints why there will be no service, and ends. */
export function refusalPlan(failure: Failure, warnings: readonly string[] = []): Uint8Array {
  return concatBytes(
    first,
    printLines([
      ...warnings.map((warning) => `warning: ${warning}`),
      `error: ${failure.message}`,
      `hint: ${failure.hint}`,
    ]),
    line("exit", String(failure.exitStatus)),
    last,
  );
}

/** What a plan that starts a service says. */
export interface Start {
  readonly change: EnvironmentChange;
  /** Whether the file system with the credentials is to be made read-only. */
  readonly freeze: boolean;
  /** What drops privileges, or does nothing, and becomes what follows it. */
  readonly command: readonly string[];
  /** To whom privileges are dropped, for the message if they can't be; undefined if they aren't. */
  readonly user: string | undefined;
  /** The absolute path of env(1). */
  readonly env: string;
  readonly warnings: readonly string[];
}

/** A plan that sets the environment and becomes the service. Secret if a variable is. */
export function startPlan({ change, freeze, command, user, env, warnings }: Start): Uint8Array {
  const passed = change.passed.map(({ name, value }) => quote(concatBytes(name, utf8("="), value)));
  return concatBytes(
    first,
    printLines(warnings.map((warning) => `warning: ${warning}`)),
    // Before the exports: these run other programs, which are given none of them.
    ...(user === undefined
      ? []
      : [line("sealaunch_try", ...[user, ...command].map((word) => quote(utf8(word))))]),
    ...(freeze ? [line("sealaunch_freeze")] : []),
    ...change.unset.map((name) => line("unset", name)),
    ...change.exported.map(({ name, value }) =>
      concatBytes(utf8("export "), name, utf8("="), quote(value), utf8("\n")),
    ),
    line(
      "sealaunch_become",
      // env(1) first: it would take a store path with a '=' in its name for a variable. bash gives
      // every program a variable _, and counts in SHLVL.
      ...(passed.length === 0
        ? ["${BASH_VERSION+", quote(utf8(env)), "-u _ -u SHLVL}"]
        : [quote(utf8(env)), "-u _ -u SHLVL", ...passed]),
      ...command.map((word) => quote(utf8(word))),
      '"$@"',
    ),
    last,
  );
}
