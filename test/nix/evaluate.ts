import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../source.ts";

const here = join(projectRoot, "test/nix");
const data = process.env["SEALAUNCH_TEST_DATA"];
const facts = data === undefined ? undefined : join(data, "nixpkgs-lib");
const realLib = process.env["NIXPKGS_LIB"] ?? "";

/** A `lib` that modules are evaluated with, and NixOS' own options where they are known. */
export interface Lib {
  readonly name: string;
  readonly lib: string;
  /** An expression; NixOS' own options are taken as they come if it is `null`. */
  readonly facts: string;
}

/** The stub; another evaluator with NixOS' options, and the real lib, where there are such. */
export const libs: readonly Lib[] = [
  { name: "the stub", lib: `import ${here}/stub-lib.nix`, facts: "null" },
  ...(facts !== undefined && existsSync(facts)
    ? [{ name: "NixOS' options", lib: `import ${facts}/mini-lib.nix`, facts }]
    : []),
  ...(realLib === ""
    ? []
    : [{ name: "nixpkgs' own lib", lib: `import ${realLib}`, facts: facts ?? "null" }]),
];

/** What an expression evaluates to. Nothing is built, and no store is asked. */
export async function evaluate(expression: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(
    "nix-instantiate",
    ["--eval", "--strict", "--json", "--store", "dummy://", "--expr", expression],
    { cwd: projectRoot, encoding: "utf8" },
  );
  return JSON.parse(stdout);
}

/** What a NixOS with the modules of this repository and `module` sets. */
export function evaluateSystem({ lib, facts: known }: Lib, module: string): Promise<unknown> {
  return evaluate(
    `import ${here}/system.nix { lib = ${lib}; facts = ${known}; module = ${module}; }`,
  );
}
