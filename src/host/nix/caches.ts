import type { Failure } from "../../failure.ts";
import { explain, fetchOptions } from "./errors.ts";
import { findProgram, run } from "../process.ts";
import { parsePathInfo } from "./path-info.ts";

/** One path of a closure as a cache has it. */
export interface CachedPath {
  readonly storePath: string;
  /** Names of the keys that signed it. */
  readonly signedBy: readonly string[];
  /** Whether its name says what it holds, so that nobody has to sign it. */
  readonly isContentAddressed: boolean;
}

/**
 * A closure as one cache has it, whole; why it hasn't, else. Nothing is fetched but what the cache says
 * of it.
 *
 * @param cache - its address, as nix.conf has it
 */
export async function askCache(
  cache: string,
  storePath: string,
  timeoutMs: number,
): Promise<CachedPath[] | Failure> {
  const nix = await findProgram("nix");
  const options = Object.entries(fetchOptions).flatMap((option) => ["--option", ...option]);
  const { exitCode, stdout, stderr, timedOut } = await run(
    nix,
    [
      ...["--extra-experimental-features", "nix-command", "path-info"],
      ...["--store", cache, "--recursive", "--json", ...options, storePath],
    ],
    { timeoutMs, diesWithUs: true },
  );
  if (exitCode !== 0) return explain(storePath, timedOut ? "timed out" : stderr);
  return parsePathInfo(JSON.parse(new TextDecoder().decode(stdout))).map(
    ({ storePath: path, signatures, ca }) => ({
      storePath: path,
      signedBy: signatures.map((signature) => signature.split(":")[0] ?? ""),
      isContentAddressed: ca !== undefined,
    }),
  );
}

/** Those of the store paths that are not in the store. */
export async function listInvalid(storePaths: readonly string[]): Promise<string[]> {
  if (storePaths.length === 0) return [];
  const nixStore = await findProgram("nix-store");
  const { stdout } = await run(nixStore, ["--check-validity", "--print-invalid", ...storePaths]);
  return new TextDecoder()
    .decode(stdout)
    .split("\n")
    .filter((line) => line !== "");
}
