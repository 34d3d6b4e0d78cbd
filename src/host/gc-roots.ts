import { rmSync, statSync, utimesSync } from "node:fs";
import { lstat } from "node:fs/promises";
import { basename, join } from "node:path";
import { Failure } from "../failure.ts";
import type { UnitRoots } from "../service/stale-roots.ts";
import { errorCode } from "./error-code.ts";
import { listDirectory, makeFolder, removeFile, syncDirectory } from "./files.ts";
import { pin } from "./nix/pinning.ts";

// STATE/roots/UNIT/HASH-NAME: what the last start of a unit needed of the store. A root outlives the
// unit's end, restarts and reboots, so that a collection at boot can't take what has to start
// before there is a network. When a unit was last seen running is its directory's time.

const unitGrammar = /^(?!\.{1,2}$)[A-Za-z0-9:_.\\@-]{1,255}$/u;

function directoryOf(state: string, unit: string): string {
  if (unitGrammar.test(unit)) return join(state, "roots", unit);
  throw new Failure("usage/bad-name", `${JSON.stringify(unit.slice(0, 300))} is no unit's name`);
}

/**
 * After it, the closures of `storePaths` are on disk and stay there for the unit, and what it kept before
 * stays no longer. If it fails, that does stay.
 *
 * @param timeoutMs - for fetching all of them
 * @throws Failure `closure/absent`, `closure/unavailable`, `closure/untrusted`,
 *   `closure/corrupt`, `closure/failed`, `write/refused`
 */
export async function replaceRoots(
  state: string,
  unit: string,
  storePaths: readonly string[],
  timeoutMs: number,
): Promise<void> {
  const directory = directoryOf(state, unit);
  const wanted = new Map(storePaths.map((storePath) => [basename(storePath), storePath]));
  const roots = [...wanted].map(([name, storePath]) => ({
    link: join(directory, name),
    storePath,
  }));
  const start = Symbol(unit);
  starting.set(start, directory);
  try {
    await makeRoots(directory);
    await pin(roots, timeoutMs);
    for (const name of await listDirectory(directory)) {
      if (!wanted.has(name)) await removeFile(join(directory, name));
    }
    touch(directory, new Date());
  } finally {
    starting.delete(start);
  }
}

/**
 * After it, the closures of `storePaths` are on disk too, and stay there for the unit until it is started
 * next.
 *
 * @throws Failure as {@link replaceRoots}
 */
export async function addRoots(
  state: string,
  unit: string,
  storePaths: readonly string[],
  timeoutMs: number,
): Promise<void> {
  const directory = directoryOf(state, unit);
  await makeRoots(directory);
  const roots = storePaths.map((storePath) => ({
    link: join(directory, basename(storePath)),
    storePath,
  }));
  await pin(roots, timeoutMs);
  touch(directory, new Date());
}

/** The directories of the units that are just being started. */
const starting = new Map<symbol, string>();

/**
 * After it, nothing stays in the store for the unit, unless it was started since these were listed. Nix
 * forgets the roots with its next collection.
 */
export async function removeRoots(
  state: string,
  { unit, usedAt }: Pick<UnitRoots, "unit" | "usedAt">,
): Promise<void> {
  const directory = directoryOf(state, unit);
  // At once, so that no start can begin in between.
  const isUsed = statSync(directory, { throwIfNoEntry: false })?.mtimeMs !== usedAt;
  if ([...starting.values()].includes(directory) || isUsed) return;
  rmSync(directory, { recursive: true, force: true });
  await syncDirectory(join(state, "roots"));
}

/** After it, the unit counts as seen running at that time. */
export function touchRoots(state: string, unit: string, now: Date): void {
  touch(directoryOf(state, unit), now);
}

/** What the units keep in the store, in no order. */
export async function listRoots(state: string): Promise<UnitRoots[]> {
  const all = join(state, "roots");
  const units = await Promise.all(
    (await listDirectory(all)).map(async (unit) => {
      const names = await listDirectory(join(all, unit));
      const facts = await lstat(join(all, unit)).catch(() => undefined);
      const storePaths = names.map((name) => `/nix/store/${name}`);
      return facts && { unit, storePaths, usedAt: facts.mtimeMs };
    }),
  );
  return units.filter((one) => one !== undefined);
}

async function makeRoots(directory: string): Promise<void> {
  try {
    await makeFolder(directory);
  } catch (error) {
    throw new Failure("write/refused", `${directory} can't be made: ${errorCode(error)}`);
  }
}

/** A time that can't be set makes roots go sooner, and keeps nothing from starting. */
function touch(directory: string, now: Date): void {
  try {
    utimesSync(directory, now, now);
  } catch {
    // As said.
  }
}
