import { dirname } from "node:path";
import type { MirrorPass } from "../../sources/mirror-writing.ts";
import type { Cluster } from "../cluster.ts";

/**
 * Puts into the mirror exactly what `judge` has read, once it was found good; nothing where it gives
 * undefined.
 *
 * @throws Failure what `judge` refuses, and then the mirror is as it was; `write/refused`
 */
export async function mirrorAll<T>(
  pass: MirrorPass,
  cluster: Cluster,
  judge: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const seen = new Map<string, Uint8Array>();
  const { source } = cluster;
  const result = await judge({
    ...cluster,
    source: {
      ...source,
      read: async (path, maxBytes) => {
        const bytes = await source.read(path, maxBytes);
        if (bytes !== undefined) seen.set(path, bytes);
        return bytes;
      },
    },
  });
  if (result === undefined) return result;
  const folders = Map.groupBy(seen, ([path]) => generationOf(path));
  for (const [folder, objects] of folders) {
    const files = objects.map(([path, bytes]) => [path.slice(folder.length + 1), bytes] as const);
    await pass.putFolder(folder, new Map(files));
  }
  return result;
}

/** The folder of one generation, in which all that is signed lies with its signatures. */
function generationOf(path: string): string {
  const folder = dirname(path);
  return folder.endsWith("/signatures") ? dirname(folder) : folder;
}

/**
 * Puts one object into the mirror, which nobody has signed; one that the source has lost stays there.
 *
 * @param judge - throws if it isn't to be taken
 * @returns whether the mirror has it
 */
export async function mirrorUnsigned(
  pass: MirrorPass,
  { source }: Cluster,
  path: string,
  maxBytes: number,
  judge: (bytes: Uint8Array) => unknown = () => undefined,
): Promise<boolean> {
  const found = await source.read(path, maxBytes);
  const bytes = found ?? (await pass.mirror.read(path, maxBytes));
  if (bytes === undefined) return false;
  judge(bytes);
  await pass.put(path, bytes);
  return true;
}
