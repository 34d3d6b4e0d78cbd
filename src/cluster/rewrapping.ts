import { wipe } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import {
  maxHeaderSize,
  openProfileHeader,
  parseDetachedHeader,
  sealHeader,
} from "../formats/age/profile.ts";
import type { Header } from "../formats/age/header.ts";
import { headerPath } from "../formats/paths.ts";
import { commitmentOf, openPayload } from "../formats/payload.ts";
import type { StatementCredential } from "../formats/records/statement.ts";
import type { Source } from "../sources/source.ts";
import { requireNoEarlierEpoch } from "../trust/owed-values.ts";
import type { VerifiedPool } from "../trust/pool.ts";
import type { VerifiedStatement } from "../trust/statement.ts";
import type { OpenedPool } from "./entries.ts";
import { bindingOf } from "./opening.ts";
import { readPayload } from "./payloads.ts";

/** A header that a bundle needs and hasn't. */
export interface OwedHeader {
  /** `header of credential TOKEN of dns in pool web, epoch 2`. */
  readonly what: string;
  readonly pool: string;
  readonly path: string;
  /** The header to write; undefined if nothing that is held here gives the file key. */
  readonly header: Uint8Array | undefined;
}

/** What {@link owedHeaders} goes by. */
export interface HeaderNeeds {
  readonly statement: VerifiedStatement;
  /** The pool files of the statement's audience. */
  readonly pools: readonly VerifiedPool[];
  /** The identities of pools that are held here. */
  readonly opened: readonly OpenedPool[];
  /** Whether every header is owed, also those that are there. */
  readonly all: boolean;
}

/**
 * The headers that a bundle's audience is owed for its current epochs, made anew. One that is
 * there counts if it is well-formed and, where that can be seen, opens to the right file key.
 *
 * Nothing is taken from bytes that nobody signed: whom to wrap for is the statement's audience and
 * the pool files' recipients, and a file key counts only if the statement commits to it and the
 * payload under it was sealed for this statement.
 *
 * @throws Failure `payload/…` if it wasn't; `mark/rolled-back` if a pool's file is older than the
 *   value; `recipient/malformed`, `source/unreadable`
 */
export async function owedHeaders(source: Source, needs: HeaderNeeds): Promise<OwedHeader[]> {
  const { statement, pools, opened, all } = needs;
  const owed: OwedHeader[] = [];
  for (const credential of statement.credentials) {
    const place = (pool: string, epoch: number): string =>
      headerPath(pool, epoch, statement.name, credential.payload);
    const fileKeys = await Promise.all(
      opened.map(async (held) => {
        const header = await readHeader(source, place(held.pool, held.epoch));
        return header && openHeader(header, held, credential);
      }),
    );
    const fileKey = fileKeys.find((found) => found !== undefined);
    const needy: VerifiedPool[] = [];
    for (const pool of pools) {
      const { epoch } = pool.current;
      const holder = opened.findIndex((held) => held.pool === pool.pool && held.epoch === epoch);
      const isGood =
        holder < 0
          ? (await readHeader(source, place(pool.pool, epoch))) !== undefined
          : fileKeys[holder] !== undefined;
      if (!isGood || (all && fileKey !== undefined)) needy.push(pool);
    }
    try {
      if (fileKey !== undefined && needy.length > 0) {
        requireNoEarlierEpoch(statement, credential, needy);
        await requireOwn(source, statement, credential, fileKey);
      }
      for (const { pool, current } of needy) {
        const { epoch, recipient } = current;
        owed.push({
          what: `header of credential ${credential.name} of ${statement.name} in pool ${pool}, epoch ${String(epoch)}`,
          pool,
          path: place(pool, epoch),
          header: fileKey && sealHeader(fileKey, recipient),
        });
      }
    } finally {
      wipe(...fileKeys.filter((found) => found !== undefined));
    }
  }
  return owed;
}

/**
 * Returns if the payload says that it was sealed for this statement.
 *
 * Without it, a signer could name another bundle's sealed bytes, or more pools, and have whoever
 * rewraps hand their file key to a pool that he can read (docs/bundle-format.md §8.3).
 *
 * @throws Failure `payload/…`
 */
async function requireOwn(
  source: Source,
  statement: VerifiedStatement,
  credential: StatementCredential,
  fileKey: Uint8Array,
): Promise<void> {
  const bytes = await readPayload(source, statement.name, credential);
  const { payload: hash, sizeClass, commitment } = credential;
  const binding = bindingOf(statement, credential.name);
  wipe(openPayload(bytes, fileKey, { hash, sizeClass, commitment }, binding));
}

/** Undefined where there is none, or none that is well-formed. */
async function readHeader(source: Source, path: string): Promise<Header | undefined> {
  return orUndefined(async () => {
    const bytes = await source.read(path, maxHeaderSize + 1);
    return bytes && parseDetachedHeader(bytes);
  });
}

/** Undefined unless the header opens, and gives the file key that the statement commits to. */
function openHeader(
  header: Header,
  { identity }: OpenedPool,
  { commitment }: StatementCredential,
): Promise<Uint8Array | undefined> {
  return orUndefined(() => {
    const fileKey = openProfileHeader(header, identity);
    if (commitmentOf(fileKey) === commitment) return fileKey;
    wipe(fileKey);
    return undefined;
  });
}

/** What `get` gives; undefined where it refuses. */
async function orUndefined<T>(get: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await get();
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
