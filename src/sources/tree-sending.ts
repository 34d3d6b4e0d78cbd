import { createHash } from "node:crypto";
import type { MirrorPass } from "./mirror-writing.ts";
import { openMemory } from "./memory.ts";

/** A pass that gathers what is to be sent to somebody. */
export interface SendingPass extends MirrorPass {
  /** What he hasn't, by path. */
  readonly objects: ReadonlyMap<string, Uint8Array>;
  /** The paths of what he has, and of what he needs only the name. */
  readonly named: ReadonlySet<string>;
}

/** @param held - what he has: by path, hex of the SHA-256 */
export function beginSending(held: Readonly<Record<string, string>>): SendingPass {
  const objects = new Map<string, Uint8Array>();
  const named = new Set<string>();
  const put = (path: string, bytes: Uint8Array): Promise<void> => {
    const isHeld = held[path] === createHash("sha256").update(bytes).digest("hex");
    if (isHeld) named.add(path);
    else objects.set(path, bytes);
    return Promise.resolve();
  };
  return {
    objects,
    named,
    mirror: openMemory("what is to be sent", objects),
    put,
    putFolder: async (folder, files) => {
      for (const [name, bytes] of files) await put(`${folder}/${name}`, bytes);
    },
    keep: (path) => {
      if (!objects.has(path)) named.add(path);
    },
    keepFolder: (folder) => {
      for (const path of Object.keys(held)) if (path.startsWith(`${folder}/`)) named.add(path);
      return Promise.resolve();
    },
    finish: () => Promise.resolve(),
  };
}
