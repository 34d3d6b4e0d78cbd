import { mkdtemp, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Failure } from "../../failure.ts";
import { parseStorePath } from "../../service/store-path.ts";
import { findProgram, run } from "../process.ts";

/** What Nix makes a closure of: an attribute of a file, or a flake's. */
export type NixSource =
  { readonly file: string; readonly attribute?: string | undefined } | { readonly flake: string };

/** Where and how Nix works. */
export interface Building {
  /** What relative paths are taken from. */
  readonly directory: string;
  /** The person's own: it says which Nix, which channels, which keys for what is fetched. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The root of the store, if it isn't this machine's. */
  readonly root: string | undefined;
  /** Whether what Nix says goes on to standard error at once. */
  readonly isShown: boolean;
}

/** A store path that no collection of garbage takes until this is disposed of. */
export interface Built extends AsyncDisposable {
  readonly storePath: string;
}

const flakes = ["--extra-experimental-features", "nix-command flakes"];

/** The command that builds it, as somebody would type it. */
function commandOf(source: NixSource): readonly string[] {
  if ("flake" in source) return ["nix", "build", source.flake];
  const { file, attribute } = source;
  return ["nix-build", file, ...(attribute === undefined ? [] : ["-A", attribute])];
}

/** After it, Nix has built it. @throws Failure `closure/not-built`, `program/missing` */
export async function buildClosure(source: NixSource, building: Building): Promise<Built> {
  const link = join(await mkdtemp(join(tmpdir(), "sealaunch-")), "result");
  const remove = (): Promise<void> => rm(join(link, ".."), { recursive: true });
  try {
    const [program = "", ...words] = commandOf(source);
    const whole = "flake" in source ? [...words, ...flakes] : inPlaceOf(words, building);
    await ask(source, building, program, [...whole, "--out-link", link]);
    // Of an output that isn't the first, Nix makes the link by another name.
    const storePath = parseStorePath(await readlink(link));
    return { storePath, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The store path that it would be built as. Nothing is built. @throws Failure `closure/not-built` */
export async function evaluateClosure(source: NixSource, building: Building): Promise<string> {
  const what =
    "flake" in source
      ? [`${source.flake}.outPath`]
      : [
          ...["--file", resolve(building.directory, source.file)],
          source.attribute === undefined ? "outPath" : `${source.attribute}.outPath`,
        ];
  const said = await ask(source, building, "nix", ["eval", "--raw", ...what, ...flakes]);
  return parseStorePath(said.trim());
}

/** A file is named whole: Nix takes what has no slash, or begins with `<`, for something else. */
function inPlaceOf([file = "", ...words]: readonly string[], { directory }: Building): string[] {
  return [resolve(directory, file), ...words];
}

async function ask(
  source: NixSource,
  { directory, environment, root, isShown }: Building,
  program: string,
  words: readonly string[],
): Promise<string> {
  const given = Object.entries(environment).filter(([, value]) => value !== undefined);
  const { exitCode, stdout, stderr } = await run(
    await findProgram(program),
    [...words, ...(root === undefined ? [] : ["--store", root])],
    { environment: Object.fromEntries(given) as Record<string, string>, cwd: directory, isShown },
  );
  if (exitCode === 0) return new TextDecoder().decode(stdout);
  const lines = stderr.trim().split("\n");
  const said = lines.findLast((line) => /^\s*error: \S/u.test(line)) ?? lines.at(-1) ?? "";
  const command = commandOf(source).join(" ");
  throw new Failure(
    "closure/not-built",
    `${command} ends with ${String(exitCode ?? "a signal")}: ${said
      .trim()
      .replace(/^error: /u, "")
      .slice(0, 300)}`,
    `in ${directory}: ${command}`,
  );
}
