import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { Failure } from "../failure.ts";
import { run } from "./process.ts";

// Programs in which people have their secrets. They are run as the person would: found in his PATH, with
// his environment, where agents, key files and cloud accounts are named; and they ask at his terminal.

export type PersonEnvironment = Readonly<Record<string, string | undefined>>;

/** Whether this process may read a file. */
export function isReadable(path: string): Promise<boolean> {
  return isAccessible(path, constants.R_OK);
}

function isAccessible(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

/**
 * What the first of `programs` that the person has prints, which the caller wipes.
 *
 * @param words - its arguments, the last of them the file
 * @throws Failure `program/missing`; `credential/undecryptable` if it fails
 */
export async function outputOf(
  programs: readonly string[],
  words: readonly string[],
  environment: PersonEnvironment,
): Promise<Uint8Array> {
  const [name, path] = await findOnPath(programs, environment["PATH"] ?? "");
  // What it says on standard error stays here: that might repeat what it has decrypted.
  const { exitCode, stdout } = await run(path, words, { environment: defined(environment) });
  if (exitCode === 0) return stdout;
  throw new Failure(
    "credential/undecryptable",
    `${name} doesn't decrypt ${words.at(-1) ?? ""}`,
    `see why: ${[name, ...words].join(" ")} >/dev/null`,
  );
}

async function findOnPath(
  programs: readonly string[],
  search: string,
): Promise<readonly [name: string, path: string]> {
  for (const name of programs) {
    for (const directory of search.split(":").filter(isAbsolute)) {
      const path = join(directory, name);
      if (await isAccessible(path, constants.X_OK)) return [name, path];
    }
  }
  throw new Failure(
    "program/missing",
    `${programs.join(" or ")} is not in your PATH`,
    "install it, or decrypt elsewhere and give the value on standard input: CREDENTIAL=-",
  );
}

function defined(environment: PersonEnvironment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}
