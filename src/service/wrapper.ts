import { contentAddressedPath, encodeNar, type Tree } from "./nar.ts";

/** The wrapper's name in the store. */
export const wrapperName = "sealaunch-wrapper";

/** What is in the wrapper's store path, in which `script` is `bin/sealaunch`. */
export function wrapperTree(script: Uint8Array): Tree {
  return new Map([["bin", new Map([["sealaunch", script]])]]);
}

/**
 * The wrapper's store path. Named by what it holds, it is the same on every machine, so that a unit
 * can be written on another, and one that names an older wrapper keeps that one.
 */
export function wrapperPath(script: Uint8Array): string {
  return contentAddressedPath(wrapperName, encodeNar(wrapperTree(script), "executable"));
}
