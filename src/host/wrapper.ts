import { wrapperName, wrapperTree } from "../service/wrapper.ts";
import { replaceRoots } from "./gc-roots.ts";
import { addToStore } from "./nix/adding.ts";

/** Who keeps the wrapper in the store, also while no unit needs it. */
const keeper = "sealaunch-agent.service";

/**
 * The wrapper's store path, which now is in the store and stays there.
 *
 * @param script - what its `bin/sealaunch` is
 * @throws Failure `closure/failed`, `closure/unavailable`, `write/refused`
 */
export function addWrapper(script: Uint8Array, state: string, timeoutMs: number): Promise<string> {
  const tree = wrapperTree(script);
  return addToStore({ name: wrapperName, tree, files: "executable" }, state, timeoutMs, (path) =>
    replaceRoots(state, keeper, [path], timeoutMs),
  );
}
