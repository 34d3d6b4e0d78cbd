import { replaceRoots } from "../host/gc-roots.ts";
import { requireFile, requireProgram, requireStored } from "../host/nix/nix.ts";
import { addWrapper } from "../host/wrapper.ts";
import { wrapperPath } from "../service/wrapper.ts";
import type { Needed } from "./wanted.ts";

/** Has what a start of a unit needs of the store be there, and stay there for the unit. */
export type Realise = (
  unit: string,
  needed: Needed,
  state: string,
  timeoutMs: number,
) => Promise<void>;

/**
 * How closures are realised and pinned.
 *
 * @param script - the wrapper as this package has it: put into the store for the units that name it,
 *   since no cache may have it
 * @param keep - how they are pinned: instead of what the unit kept before, or beside it
 * @returns what throws Failure `closure/…`, `program/not-executable`, `write/refused`
 */
export function createRealise(script: Uint8Array, keep = replaceRoots): Realise {
  const own = wrapperPath(script);
  let isAdded: Promise<unknown> | undefined;
  return async (unit, { programs, files, sealed }, state, timeoutMs) => {
    const objects = [...programs, ...files];
    if (objects.some(({ storePath }) => storePath === own)) {
      isAdded ??= addWrapper(script, state, timeoutMs);
      await isAdded.catch((error: unknown) => {
        isAdded = undefined;
        throw error;
      });
    }
    const storePaths = [...new Set([...objects.map(({ storePath }) => storePath), ...sealed])];
    await keep(state, unit, storePaths, timeoutMs);
    programs.forEach(requireProgram);
    files.forEach(requireFile);
    sealed.forEach(requireStored);
  };
}
