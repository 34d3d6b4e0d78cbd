import { wipe } from "../../crypto/bytes.ts";
import { Failure } from "../../failure.ts";
import type { Context } from "../context.ts";
import { nothingElse } from "../seal/nothing-else.ts";
import { seal } from "../seal/seal.ts";
import type { ValueFile } from "./value-files.ts";

/** How a bundle's generation is made of files. */
export interface FilesOptions {
  /** Those of a bundle that is new; none leaves its audience as it is. */
  readonly pools: readonly string[];
  readonly units: readonly string[];
  readonly trim: boolean;
}

/**
 * After it, the next generation of a bundle has the values of these files; its other credentials stay.
 *
 * @returns the credentials, by the file that they came from
 * @throws Failure `usage/invalid` if two files have the same; what decrypting and sealing throw
 */
export async function sealFiles(
  context: Context,
  bundle: string,
  files: readonly ValueFile[],
  options: FilesOptions,
): Promise<Map<string, string[]>> {
  const given = new Map<string, Uint8Array>();
  const names = new Map<string, string[]>();
  try {
    for (const file of files) {
      const own: string[] = [];
      for await (const [name, value] of file.decrypt()) {
        if (given.has(name)) {
          wipe(value);
          throw new Failure(
            "usage/invalid",
            `credential ${name} of ${bundle} comes from ${file.from} and from another file too`,
          );
        }
        given.set(name, value);
        own.push(name);
      }
      names.set(file.from, own);
    }
    await seal(context, bundle, { ...nothingElse, ...options, given, signer: undefined });
    return names;
  } finally {
    wipe(...given.values());
  }
}
