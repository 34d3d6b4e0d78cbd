import { relative, resolve } from "node:path";
import { hex } from "../../crypto/bytes.ts";
import { sha256 } from "../../crypto/digest.ts";
import { Failure } from "../../failure.ts";
import type { SealedSource } from "../../formats/sealed-from.ts";
import type { ValueFiles } from "../../formats/service-values.ts";
import { readRegularFile } from "../../host/files.ts";
import type { Context } from "../context.ts";
import { fileOf, readImports } from "../seal/import.ts";
import { nothingElse } from "../seal/nothing-else.ts";

/** An encrypted file of which a service file has values taken. */
export interface ValueFile extends Omit<SealedSource, "payloads"> {
  /** What decrypts it, with its credentials' names and values. */
  decrypt(): AsyncIterable<readonly [name: string, value: Uint8Array]>;
}

const maxFileSize = 4 * 1024 * 1024;

/**
 * The files, as they are now. Nothing is decrypted.
 *
 * @param context - whose directory the paths are taken from
 * @param top - the repository's directory, which they are named from
 * @throws Failure `credential/unreadable`
 */
export async function readValueFiles(
  context: Context,
  top: string,
  files: ValueFiles,
): Promise<ValueFile[]> {
  const all = (["sops", "agenix", "credstore"] as const).flatMap((tool) =>
    files[tool].map((argument) => ({ tool, argument, file: fileOf(tool, argument) })),
  );
  return Promise.all(
    all.map(async ({ tool, argument, file }) => {
      const path = resolve(context.directory, file);
      const bytes = await readRegularFile(path, maxFileSize);
      if (bytes === undefined)
        throw new Failure("credential/unreadable", `${file} isn't there, or can't be read`);
      const options = {
        ...nothingElse,
        fromSops: tool === "sops" ? [argument] : [],
        fromAgenix: tool === "agenix" ? [argument] : [],
        fromCredstore: tool === "credstore" ? [argument] : [],
      };
      // What it is taken as is a part of its name: the same file may give two credentials.
      const from = `${tool} ${argument.replace(file, () => relative(top, path))}`;
      return { from, hash: hex(sha256(bytes)), decrypt: () => readImports(context, options) };
    }),
  );
}
