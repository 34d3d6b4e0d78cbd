import { utf8 } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import {
  bundleFolder,
  membersPath,
  pendingRosterPath,
  poolFolder,
  poolPath,
  rosterFolder,
  rosterPath,
  statementPath,
} from "../formats/paths.ts";
import { maxMembersSize, maxPoolSize, type Member, type Members } from "../formats/records/pool.ts";
import { maxRosterSize, type RosterSigner } from "../formats/records/roster.ts";
import { maxStatementSize } from "../formats/records/statement.ts";
import type { Source } from "../sources/source.ts";
import { judgeMember, judgeMembers, judgePool, type VerifiedPool } from "../trust/pool.ts";
import {
  judgeRoster,
  rosterName,
  rosterPool,
  type TrustedRoots,
  type VerifiedRoster,
} from "../trust/roster.ts";
import { signersOf } from "../trust/signed.ts";
import { judgeStatement, type StatementPlace, type VerifiedStatement } from "../trust/statement.ts";
import { newestGeneration, readSigned } from "./generations.ts";
import type { Marks } from "./marks.ts";
import type { Memory } from "./memory.ts";

/** A cluster as one machine sees it: what it trusts, where it reads, what it has seen before. */
export interface Cluster {
  readonly trusted: TrustedRoots;
  readonly source: Source;
  readonly marks: Marks;
  readonly memory: Memory;
  readonly now: Date;
}

/** A verified record together with the bytes that were signed. */
export interface Read<T> {
  readonly record: T;
  readonly bytes: Uint8Array;
}

/**
 * The newest roster of the source, verified; undefined if there is none.
 *
 * @throws Failure all that `judgeRoster` and marks refuse
 */
export async function findRoster(cluster: Cluster): Promise<Read<VerifiedRoster> | undefined> {
  const { source, trusted, marks, memory } = cluster;
  const generation = await newestGeneration(source);
  if (generation === undefined) return undefined;
  const signed = await readSigned(
    source,
    rosterPath(generation),
    "roster",
    maxRosterSize,
    trusted.roots,
  );
  if (signed === undefined) return undefined;
  const record = memory.recall(
    "roster",
    [trustedBytes(trusted), utf8(String(generation)), signed.bytes, ...signed.signatures],
    () => judgeRoster(signed, trusted, generation),
  );
  await marks.see(rosterFolder, { series: 0, generation }, signed.bytes);
  return { record, bytes: signed.bytes };
}

function trustedBytes(trusted: TrustedRoots): Uint8Array {
  return utf8(JSON.stringify(trusted));
}

/** As {@link findRoster}. @throws Failure also `roster/absent`, `roster/pending` if there is none */
export async function readRoster(cluster: Cluster): Promise<Read<VerifiedRoster>> {
  const found = await findRoster(cluster);
  if (found !== undefined) return found;
  const { source } = cluster;
  const first = pendingRosterPath(1);
  if ((await source.list(first)).length === 0) {
    const hint = absentHint(source);
    const where = hint === undefined ? ` at ${source.place(rosterFolder)}` : "";
    throw new Failure("roster/absent", `${source.name} has no roster${where}`, hint);
  }
  throw new Failure(
    "roster/pending",
    `the first roster waits for signatures: ${source.place(first)}`,
  );
}

/**
 * The newest pool file of a pool, verified; undefined while the pool has no member.
 *
 * @throws Failure `pool/unknown`, all that `judgePool` and marks refuse
 */
export async function readPool(
  cluster: Cluster,
  roster: VerifiedRoster,
  pool: string,
): Promise<Read<VerifiedPool> | undefined> {
  rosterPool(roster, pool);
  const generation = await newestGeneration(cluster.source, poolFolder(pool));
  if (generation === undefined) return undefined;
  const read = await readPoolAt(cluster, roster, pool, generation);
  if (read !== undefined) {
    await cluster.marks.see(poolFolder(pool), { series: 0, generation }, read.bytes);
  }
  return read;
}

/**
 * One generation of a pool's file, verified, whatever is newer; undefined if it isn't there. It makes no
 * mark, and none is asked.
 *
 * @throws Failure `pool/unknown`, all that `judgePool` refuses
 */
export async function readPoolAt(
  { source, memory }: Cluster,
  roster: VerifiedRoster,
  pool: string,
  generation: number,
): Promise<Read<VerifiedPool> | undefined> {
  const { managers } = rosterPool(roster, pool);
  const folder = poolPath(pool, generation);
  const signed = await readSigned(source, folder, "pool", maxPoolSize, managers);
  if (signed === undefined) return undefined;
  const from = [roster, utf8(folder), signed.bytes, ...signed.signatures];
  const record = memory.recall("pool", from, () => judgePool(signed, roster, pool, generation));
  return { record, bytes: signed.bytes };
}

/** As {@link readPool}. @throws Failure also `pool/absent` while the pool has no member */
export async function requirePool(
  cluster: Cluster,
  roster: VerifiedRoster,
  pool: string,
): Promise<VerifiedPool> {
  const read = await readPool(cluster, roster, pool);
  if (read !== undefined) return read.record;
  throw new Failure("pool/absent", `pool ${pool} has no members, so nothing can be sealed for it`);
}

/**
 * The member list that a pool file names.
 *
 * @throws Failure `members/hash`, `members/malformed`
 */
export async function readMembers(source: Source, pool: VerifiedPool): Promise<Members> {
  return judgeMembers(await readMemberList(source, pool), pool);
}

/**
 * What the member list that a pool file names says of one node; undefined if it isn't a member.
 *
 * @throws Failure `members/hash`, `members/malformed`
 */
export async function readMember(
  source: Source,
  pool: VerifiedPool,
  node: string,
): Promise<Member | undefined> {
  return judgeMember(await readMemberList(source, pool), pool, node);
}

async function readMemberList(source: Source, pool: VerifiedPool): Promise<Uint8Array> {
  const path = membersPath(pool.pool, pool.generation);
  const bytes = await source.read(path, maxMembersSize);
  if (bytes !== undefined) return bytes;
  throw new Failure("members/hash", `${source.name} has no ${path}`);
}

/** A statement as it was read: by whom it is signed, besides. */
export interface ReadStatement extends Read<VerifiedStatement> {
  readonly signers: readonly RosterSigner[];
}

/**
 * The newest statement of a bundle in its current series, verified; undefined if there is none.
 *
 * @throws Failure all that `judgeStatement` and marks refuse
 */
export async function readStatement(
  cluster: Cluster,
  roster: VerifiedRoster,
  bundle: string,
): Promise<ReadStatement | undefined> {
  const { series } = rosterName(roster, bundle);
  const generation = await newestGeneration(cluster.source, bundleFolder(bundle), series);
  if (generation === undefined) return undefined;
  const place = { bundle, series, generation };
  const read = await readStatementAt(cluster, roster, place);
  if (read !== undefined) await cluster.marks.see(bundleFolder(bundle), place, read.bytes);
  return read;
}

/**
 * One generation of a bundle, verified, whatever is newer; undefined if it isn't there. It makes no
 * mark, and none is asked.
 *
 * @throws Failure all that `judgeStatement` refuses
 */
export async function readStatementAt(
  { source, memory, now }: Cluster,
  roster: VerifiedRoster,
  place: StatementPlace,
): Promise<ReadStatement | undefined> {
  const folder = statementPath(place.bundle, place.series, place.generation);
  const signed = await readSigned(
    source,
    folder,
    "statement",
    maxStatementSize,
    roster.signers.map(({ signer }) => signer),
  );
  if (signed === undefined) return undefined;
  const verified = memory.recall("signers", [signed.bytes, ...signed.signatures], () =>
    signersOf(signed, "bundle"),
  );
  const { statement, signers } = judgeStatement(signed.bytes, verified, roster, place, now);
  return { record: statement, bytes: signed.bytes, signers };
}

/** As {@link readStatement}. @throws Failure also `bundle/absent` */
export async function requireReadStatement(
  cluster: Cluster,
  roster: VerifiedRoster,
  bundle: string,
): Promise<ReadStatement> {
  const read = await readStatement(cluster, roster, bundle);
  if (read !== undefined) return read;
  throw new Failure(
    "bundle/absent",
    `${cluster.source.name} has no bundle ${bundle}`,
    absentBundleHint(cluster.source, bundle),
  );
}

/** As {@link absentHint}: a bundle for other pools isn't brought to a node, whatever is done there. */
function absentBundleHint(source: Source, bundle: string): string | undefined {
  const hint = absentHint(source);
  return hint === undefined
    ? undefined
    : `'sealaunch inspect ${bundle}', in the repository, says for which pools it is: a node gets those of its own; ${hint}`;
}

/** What mends that something isn't in a mirror; undefined for any other source. */
function absentHint({ name }: Source): string | undefined {
  if (!name.startsWith("mirror:")) return undefined;
  return "systemctl restart sealaunch-sync.service; 'journalctl -u sealaunch-sync.service' has what it couldn't bring";
}

/** As {@link requireReadStatement}, the statement alone. */
export async function requireStatement(
  cluster: Cluster,
  roster: VerifiedRoster,
  bundle: string,
): Promise<VerifiedStatement> {
  return (await requireReadStatement(cluster, roster, bundle)).record;
}
