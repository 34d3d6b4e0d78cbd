import { hex } from "../crypto/bytes.ts";
import { sha256 } from "../crypto/digest.ts";
import {
  bundleFolder,
  membersPath,
  poolFolder,
  poolPath,
  type recordFile,
  rosterFolder,
  rosterPath,
  statementPath,
} from "../formats/paths.ts";
import {
  decodePool,
  maxMembersSize,
  maxPoolSize,
  type Members,
  type Pool,
} from "../formats/records/pool.ts";
import { decodeRoster, maxRosterSize, type Roster } from "../formats/records/roster.ts";
import { decodeStatement, maxStatementSize, type Statement } from "../formats/records/statement.ts";
import type { SignerKey } from "../formats/sshsig/public-key.ts";
import type { Source } from "../sources/source.ts";
import type { SignedType } from "../formats/sshsig/signature.ts";
import { signersOf, type SignedBytes } from "../trust/signed.ts";
import { judgeMembers, type VerifiedPool } from "../trust/pool.ts";
import type { Read } from "./cluster.ts";
import { generationsIn, readSigned } from "./generations.ts";

/** A generation, and whose signatures over it verify: told when it is asked, since most only ask for the record. */
export interface Generation<T> {
  readonly record: T;
  readonly signers: () => readonly SignerKey[];
}

/** The generations of an object, the newest first. */
export interface Chain<T> {
  readonly generations: readonly Generation<T>[];
  /** Where it ends before its beginning: the generation whose predecessor isn't there. */
  readonly brokenAt: number | undefined;
}

/** What is said where a chain ends before its beginning, and what follows from it. */
export function gapsOf(
  what: string,
  { brokenAt }: Chain<unknown>,
  consequence = "nothing is told of it",
): string[] {
  if (brokenAt === undefined) return [];
  return [
    `${what}: what came before generation ${String(brokenAt)} isn't there, or isn't what it names; ${consequence}`,
  ];
}

interface Numbered {
  readonly generation: number;
  readonly previous: string | null;
}

interface Kind<T> {
  readonly folder: string;
  /** Where generations are numbered within a series, which. */
  readonly series?: number;
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
  const numbers = await generationsIn(source, kind.folder, kind.series);
  const earlier = numbers.sort((a, b) => b - a);
  const generations: Generation<T>[] = [];
  const signed = await readAt(source, kind, newest.record.generation);
  let at: SignedBytes = { bytes: newest.bytes, signatures: signed?.signatures ?? [] };
  let { record } = newest;
  for (;;) {
    const found = at;
    generations.push({ record, signers: () => signersOf(found, kind.type).signers });
    const before = await predecessor(source, kind, record, earlier);
    if (before === undefined) break;
    at = before;
    record = kind.decode(at.bytes);
  }
  return { generations, brokenAt: record.previous === null ? undefined : record.generation };
}

/** One generation as it lies there. Whose signatures it has is told whoever they are, so that none come first. */
function readAt<T>(
  source: Source,
  { path, file, maxBytes }: Kind<T>,
  generation: number,
): Promise<SignedBytes | undefined> {
  return readSigned(source, path(generation), file, maxBytes, []);
}

/** What a record names, among the lower generations: others are of a branch that was joined. */
async function predecessor<T extends Numbered>(
  source: Source,
  kind: Kind<T>,
  { generation, previous }: T,
  generations: readonly number[],
): Promise<SignedBytes | undefined> {
  if (previous === null) return undefined;
  for (const lower of generations.filter((one) => one < generation)) {
    const at = await readAt(source, kind, lower);
    if (at !== undefined && hex(sha256(at.bytes)) === previous) return at;
  }
  return undefined;
}

/** A bundle's generations of the series that its newest statement is of. @throws Failure `source/…` */
export function statementsBefore(
  source: Source,
  newest: Read<Statement>,
): Promise<Chain<Statement>> {
  return walkBack(source, statementsOf(newest.record), newest);
}

/** The statement that one names as its predecessor, as it lies there; undefined if it isn't there. */
export async function statementBefore(
  source: Source,
  statement: Statement,
): Promise<SignedBytes | undefined> {
  const kind = statementsOf(statement);
  const numbers = await generationsIn(source, kind.folder, kind.series);
  return predecessor(
    source,
    kind,
    statement,
    numbers.sort((a, b) => b - a),
  );
}

function statementsOf({ name, series }: Statement): Kind<Statement> {
  return {
    folder: bundleFolder(name),
    series,
    path: (generation) => statementPath(name, series, generation),
    file: "statement",
    type: "bundle",
    maxBytes: maxStatementSize,
    decode: decodeStatement,
  };
}

/** A pool's generations. @throws Failure `source/…` */
export function poolsBefore(source: Source, newest: Read<Pool>): Promise<Chain<Pool>> {
  const { pool } = newest.record;
  const kind: Kind<Pool> = {
    folder: poolFolder(pool),
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
    path: rosterPath,
    file: "roster",
    type: "roster",
    maxBytes: maxRosterSize,
    decode: decodeRoster,
  };
  return walkBack(source, kind, newest);
}

/** The members that a pool file of a chain names; undefined if its list isn't there any more. */
export async function membersOf(
  source: Source,
  pool: Pool,
): Promise<Members["members"] | undefined> {
  const bytes = await source.read(membersPath(pool.pool, pool.generation), maxMembersSize);
  if (bytes === undefined) return undefined;
  // That it is verified the chain says.
  return judgeMembers(bytes, pool as VerifiedPool).members;
}
