import { hex } from "../crypto/bytes.ts";
import { sha256 } from "../crypto/digest.ts";
import {
  bundleFolder,
  poolFolder,
  poolPath,
  recordFile,
  rosterFolder,
  rosterPath,
  statementPath,
} from "../formats/paths.ts";
import { decodePool, maxMembersSize, maxPoolSize, type Pool } from "../formats/records/pool.ts";
import { decodeRoster, maxRosterSize, type Roster } from "../formats/records/roster.ts";
import { decodeStatement, maxStatementSize, type Statement } from "../formats/records/statement.ts";
import type { SignerKey } from "../formats/sshsig/public-key.ts";
import type { Source } from "../sources/source.ts";
import type { SignedType } from "../formats/sshsig/signature.ts";
import { signersOf } from "../trust/signed.ts";
import { judgeMembers, type VerifiedPool } from "../trust/pool.ts";
import type { Read } from "./cluster.ts";
import { readSigned } from "./generations.ts";

/** A generation, and whose signatures over it verify. */
export interface Generation<T> {
  readonly record: T;
  readonly signers: readonly SignerKey[];
}

/** The generations of an object, the newest first. */
export interface Chain<T> {
  readonly generations: readonly Generation<T>[];
  /** Where it ends before its beginning: the generation whose predecessor isn't there. */
  readonly brokenAt: number | undefined;
}

interface Numbered {
  readonly generation: number;
  readonly previous: string | null;
}

interface Kind<T> {
  readonly folder: string;
  readonly name: RegExp;
  readonly path: (generation: number) => string;
  readonly file: keyof typeof recordFile;
  readonly type: SignedType;
  readonly maxBytes: number;
  readonly decode: (bytes: Uint8Array) => T;
}

/**
 * What came before a verified record. Each generation names the bytes of its predecessor, so that
 * the newest vouches for all of them, whoever may sign today.
 */
async function walkBack<T extends Numbered>(
  source: Source,
  kind: Kind<T>,
  newest: Read<T>,
): Promise<Chain<T>> {
  const names = await source.list(kind.folder);
  const numbers = names.map((name) => Number(kind.name.exec(name)?.[1] ?? 0));
  const earlier = numbers.filter((one) => one > 0).sort((a, b) => b - a);
  const generations: Generation<T>[] = [];
  let { record, bytes } = newest;
  for (;;) {
    const at = await readSigned(source, kind.path(record.generation), kind.file, kind.maxBytes);
    const signatures = at?.signatures ?? [];
    generations.push({ record, signers: signersOf({ bytes, signatures }, kind.type).signers });
    const before = await predecessor(source, kind, record, earlier);
    if (before === undefined) break;
    bytes = before;
    record = kind.decode(bytes);
  }
  return { generations, brokenAt: record.previous === null ? undefined : record.generation };
}

/** The bytes that a record names, among the lower generations: others are of a branch that was joined. */
async function predecessor<T extends Numbered>(
  source: Source,
  kind: Kind<T>,
  { generation, previous }: T,
  generations: readonly number[],
): Promise<Uint8Array | undefined> {
  if (previous === null) return undefined;
  for (const lower of generations.filter((one) => one < generation)) {
    const at = await readSigned(source, kind.path(lower), kind.file, kind.maxBytes);
    if (at !== undefined && hex(sha256(at.bytes)) === previous) return at.bytes;
  }
  return undefined;
}

const plain = /^([1-9][0-9]{0,14})$/u;

/** A bundle's generations of the series that its newest statement is of. @throws Failure `source/…` */
export function statementsBefore(
  source: Source,
  newest: Read<Statement>,
): Promise<Chain<Statement>> {
  const { name, series } = newest.record;
  const kind: Kind<Statement> = {
    folder: bundleFolder(name),
    name: new RegExp(`^${String(series)}\\.([1-9][0-9]{0,14})$`, "u"),
    path: (generation) => statementPath(name, series, generation),
    file: "statement",
    type: "bundle",
    maxBytes: maxStatementSize,
    decode: decodeStatement,
  };
  return walkBack(source, kind, newest);
}

/** A pool's generations. @throws Failure `source/…` */
export function poolsBefore(source: Source, newest: Read<Pool>): Promise<Chain<Pool>> {
  const { pool } = newest.record;
  const kind: Kind<Pool> = {
    folder: poolFolder(pool),
    name: plain,
    path: (generation) => poolPath(pool, generation),
    file: "pool",
    type: "pool",
    maxBytes: maxPoolSize,
    decode: decodePool,
  };
  return walkBack(source, kind, newest);
}

/** The rosters' generations. @throws Failure `source/…` */
export function rostersBefore(source: Source, newest: Read<Roster>): Promise<Chain<Roster>> {
  const kind: Kind<Roster> = {
    folder: rosterFolder,
    name: plain,
    path: rosterPath,
    file: "roster",
    type: "roster",
    maxBytes: maxRosterSize,
    decode: decodeRoster,
  };
  return walkBack(source, kind, newest);
}

/** The nodes that a pool file of a chain names; undefined if its list isn't there any more. */
export async function nodesOf(source: Source, pool: Pool): Promise<string[] | undefined> {
  const path = `${poolPath(pool.pool, pool.generation)}/${recordFile.members}`;
  const bytes = await source.read(path, maxMembersSize);
  if (bytes === undefined) return undefined;
  // That it is verified the chain says.
  return judgeMembers(bytes, pool as VerifiedPool).members.map(({ node }) => node);
}
