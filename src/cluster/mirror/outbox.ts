import { join } from "node:path";
import { equalBytes, hex, utf8 } from "../../crypto/bytes.ts";
import { sha256 } from "../../crypto/digest.ts";
import { Failure } from "../../failure.ts";
import { createFileExclusive, listDirectory, removeFile } from "../../host/files.ts";
import type { Source } from "../../sources/source.ts";
import { objectsBelow } from "../below.ts";

// What a node writes for others lies in its outbox, and who has the network but no identity carries it to
// the source. Neither may write where the other does: what was carried is remembered on the other side,
// so that it isn't brought back after somebody has removed it in the source.

/** What a node writes: nothing else is carried, whatever lies there. */
const carried = /^(?:entries|headers|nodes)\//u;

/** Of what a node says of itself; more than of headers and entries. */
export const maxNodeObjectSize = 1024 * 1024;

/** The objects in an outbox, in rising order. @throws Failure `source/unreadable` */
async function listOutbox(outbox: Source): Promise<string[]> {
  const found = await Promise.all(
    ["entries", "headers", "nodes"].map((folder) => objectsBelow(outbox, folder)),
  );
  return found
    .flat()
    .filter((path) => carried.test(path))
    .sort();
}

/** What of an outbox has come to the source, and what couldn't. */
export interface Carried {
  readonly written: readonly string[];
  readonly failures: readonly Failure[];
}

/**
 * After it, every object of the outbox has been in the source once.
 *
 * @param state - the directory in which it is remembered what was carried; undefined if somebody may
 *   yet lose what is carried now
 * @throws Failure `source/…`; `write/refused` if it can't be remembered
 */
export async function carryOutbox(
  outbox: Source,
  source: Source,
  state: string | undefined,
): Promise<Carried> {
  const written: string[] = [];
  const failures: Failure[] = [];
  const known = new Set(state === undefined ? [] : await listDirectory(state));
  const present = new Set<string>();
  for (const path of await listOutbox(outbox)) {
    const bytes = await outbox.read(path, maxNodeObjectSize);
    if (bytes === undefined) continue;
    const name = hex(sha256(utf8(`${path}\n${hex(sha256(bytes))}`)));
    present.add(name);
    if (known.has(name)) continue;
    try {
      const before = await source.read(path, maxNodeObjectSize).catch(() => undefined);
      if (before === undefined || !equalBytes(before, bytes)) {
        await source.write(path, bytes);
        written.push(path);
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures.push(error);
      continue;
    }
    if (state !== undefined) {
      await createFileExclusive(join(state, name), new Uint8Array(), 0o600);
    }
  }
  for (const name of known) {
    if (state !== undefined && !present.has(name)) await removeFile(join(state, name));
  }
  return { written, failures };
}

/**
 * After it, the outbox holds only what the mirror doesn't show yet.
 *
 * @throws Failure `source/…`, `write/refused`
 */
export async function clearOutbox(outbox: Source, mirror: Source): Promise<void> {
  for (const path of await listOutbox(outbox)) {
    const [waiting, shown] = await Promise.all([
      outbox.read(path, maxNodeObjectSize),
      mirror.read(path, maxNodeObjectSize),
    ]);
    if (waiting === undefined || shown === undefined) continue;
    if (equalBytes(waiting, shown)) await outbox.remove(path);
  }
}
