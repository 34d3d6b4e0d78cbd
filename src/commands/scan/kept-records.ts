import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../failure.ts";
import { publisherRecordKey } from "../../formats/publisher-record.ts";
import { replaceVolatileFile } from "../../host/files.ts";
import { cacheFolder } from "../../host/user-folders.ts";

/** Publishers' records as caches sent them, kept on this machine. Nobody vouches for them but their signatures. */
export interface KeptRecords {
  /** The record of a store path, and whether it is new enough not to be asked for again; undefined if none is kept. */
  read(storePath: string): { readonly bytes: Uint8Array; readonly isNew: boolean } | undefined;
  /** After it, that is the record that is kept, or nothing can be kept here. */
  keep(storePath: string, bytes: Uint8Array): void;
}

/** So long a record is new: a publisher may say more of a path later, and nobody else what it is. */
const newForMs = 7 * 86_400_000;

const nothingKept: KeptRecords = { read: () => undefined, keep: () => undefined };

/** Those in the user's folder for what can be fetched again; none where the environment names none. */
export function openKeptRecords(
  environment: Readonly<Record<string, string | undefined>>,
  now: Date,
): KeptRecords {
  const folder = cacheFolder(environment);
  if (folder === undefined) return nothingKept;
  const directory = join(folder, "sealaunch/records");
  const at = (storePath: string): string => join(directory, publisherRecordKey(storePath));
  let isWritable = true;
  return {
    read: (storePath) => {
      try {
        const bytes = readFileSync(at(storePath));
        const age = now.getTime() - statSync(at(storePath)).mtimeMs;
        return { bytes, isNew: age < newForMs };
      } catch {
        return undefined;
      }
    },
    keep: (storePath, bytes) => {
      if (!isWritable) return;
      try {
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        replaceVolatileFile(at(storePath), bytes, 0o600);
      } catch (error) {
        if (!(error instanceof Failure) && !(error instanceof Error && "code" in error))
          throw error;
        // Asked for again the next time: that is all that is lost.
        isWritable = false;
      }
    },
  };
}
