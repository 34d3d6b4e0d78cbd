import type { MirrorPass } from "./mirror-writing.ts";
import type { Source } from "./source.ts";

/** A pass that adds to a source what it hasn't, and takes nothing away. */
export function beginAdding(target: Source): MirrorPass {
  const put = async (path: string, bytes: Uint8Array): Promise<void> => {
    const before = await target.read(path, bytes.length).catch(() => undefined);
    if (before !== undefined && Buffer.compare(before, bytes) === 0) return;
    await target.write(path, bytes);
  };
  return {
    mirror: target,
    put,
    putFolder: async (folder, files) => {
      // One that is there may lack a signature that came later.
      if (await target.publish(folder, files)) return;
      for (const [name, bytes] of files) await put(`${folder}/${name}`, bytes);
    },
    keep: () => undefined,
    keepFolder: () => Promise.resolve(),
    finish: () => Promise.resolve(),
  };
}
