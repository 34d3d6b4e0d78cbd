import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { errorCode } from "./error-code.ts";

/**
 * Makes a folder and those above it, as far as they aren't there.
 *
 * Not by Node's own `recursive`, which never ends where the kernel says that a folder isn't there which it
 * doesn't let be made, as in /proc.
 *
 * @returns those that it made, the topmost first
 * @throws what mkdir(2) and stat(2) refuse, as Node gives it
 */
export function makeMissing(path: string, mode: number): string[] {
  if (isDirectory(path)) return [];
  const above = dirname(path);
  const made = above === path ? [] : makeMissing(above, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Somebody was first.
    if (errorCode(error) === "EEXIST" && isDirectory(path)) return made;
    throw error;
  }
  return [...made, path];
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}
