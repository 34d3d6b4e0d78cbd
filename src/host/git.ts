import { createHash } from "node:crypto";
import { Failure } from "../failure.ts";
import { findProgram, run } from "./process.ts";

/** The variables that reach git: its own are left out, since a hook's would lead to another place. */
export type GitEnvironment = Readonly<Record<string, string | undefined>>;

const passed = ["HOME", "PATH", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL"] as const;

/** What git holds of one path: which bytes, and whether it is a plain file. */
export interface Blob {
  readonly id: string;
  readonly size: number;
  readonly isFile: boolean;
}

/** A commit's files below one directory of a work tree. */
export interface Tree {
  readonly commit: string;
  /** By path within the directory. */
  readonly blobs: ReadonlyMap<string, Blob>;
  readonly read: (blob: Blob) => Promise<Uint8Array>;
}

/**
 * What the commit that `revision` names has below `directory`. Only names are read yet.
 *
 * @param revision - as git spells it: `HEAD~3`, `origin/main`, a tag
 * @throws Failure `git/failed`, `program/missing`
 */
export async function readTree(
  directory: string,
  revision: string,
  environment: GitEnvironment,
): Promise<Tree> {
  const git = await gitIn(directory, environment);
  const named = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
  const commit = textOf(await git(named, `revision ${revision}`)).trim();
  const listing = await git(["ls-tree", "-r", "-z", "--long", commit], `the tree of ${revision}`);
  const blobs = new Map<string, Blob>();
  for (const line of textOf(listing).split("\0")) {
    const found = /^(\d{6}) (\w+) ([0-9a-f]+) +(\d+|-)\t(.+)$/su.exec(line);
    if (found === null) continue;
    const [, mode = "", , id = "", size = "", path = ""] = found;
    blobs.set(path, { id, size: Number(size), isFile: mode.startsWith("100") });
  }
  return { commit, blobs, read: ({ id }) => git(["cat-file", "blob", id], `object ${id}`) };
}

/** Whether a blob has exactly these bytes, told without reading it. */
export function isBlobOf({ id }: Blob, bytes: Uint8Array): boolean {
  const hash = createHash(id.length === 64 ? "sha256" : "sha1");
  return (
    hash
      .update(`blob ${String(bytes.length)}\0`)
      .update(bytes)
      .digest("hex") === id
  );
}

type Git = (args: readonly string[], what: string) => Promise<Uint8Array>;

async function gitIn(directory: string, environment: GitEnvironment): Promise<Git> {
  const program = await findProgram("git");
  const kept = passed.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return async (args, what) => {
    const all = ["-C", directory, "--no-replace-objects", ...args];
    const { exitCode, stdout, stderr } = await run(program, all, {
      environment: Object.fromEntries(kept),
    });
    if (exitCode === 0) return stdout;
    const reason = stderr.trim().split("\n")[0] ?? "";
    throw new Failure(
      "git/failed",
      `git has no ${what} for ${directory}${reason === "" ? "" : `: ${reason}`}`,
    );
  };
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
