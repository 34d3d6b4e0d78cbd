import { hex } from "../../crypto/bytes.ts";
import { sha256 } from "../../crypto/digest.ts";
import { Failure, type FailureCode } from "../../failure.ts";
import { checkEntryForm, maxEntrySize } from "../../formats/entry.ts";
import { membersPath, poolPath, recordFile, rosterPath } from "../../formats/paths.ts";
import { maxMembersSize, maxPoolSize } from "../../formats/records/pool.ts";
import { maxRosterSize } from "../../formats/records/roster.ts";
import type { SignerKey } from "../../formats/sshsig/public-key.ts";
import { rosterPool, type VerifiedRoster } from "../../trust/roster.ts";
import { folderSteps } from "./carrying.ts";
import { notCarried, objectSteps, type Step, type Way } from "./objects.ts";
import { checkPool } from "../checking.ts";
import { readPool, readPoolAt, type Cluster, type Read } from "../cluster.ts";
import { expectedEntries } from "../owed.ts";
import { gapsOf, poolsBefore, rostersBefore } from "../past.ts";

/** What brings a pool there, in the order in which it has to come. */
export interface PoolCopy {
  readonly what: string;
  /** Entries, which nothing names yet. */
  readonly before: readonly Step[];
  readonly newest: readonly Step[];
  /** Whether who goes by the roster that is there would believe it. */
  readonly isForPresent: boolean;
  readonly past: readonly Step[];
  /** What of its past isn't there to be carried, a line each. */
  readonly gaps: readonly string[];
}

// Nobody's alteration, and no reason to keep others from it.
const sound: ReadonlySet<FailureCode> = new Set(["roster/stale", "entry/absent"]);

/**
 * Undefined while the pool has no member.
 *
 * @param present - the roster that is there; undefined if there is none
 * @throws Failure whatever is wrong with the pool; `generation/conflict`
 */
export async function planPool(
  from: Cluster,
  { to }: Way,
  roster: VerifiedRoster,
  present: VerifiedRoster | undefined,
  pool: string,
): Promise<PoolCopy | undefined> {
  const way = { from: from.source, to };
  const read = await readPool(from, roster, pool);
  if (read === undefined) return undefined;
  const { failures } = await checkPool(from, roster, pool);
  const fault = failures.find(({ code }) => !sound.has(code));
  if (fault !== undefined) throw fault;
  const expected = await expectedEntries(from, roster, read.record);
  const entries = expected.filter(({ owed }) => !owed);
  const before = await objectSteps(
    way,
    entries.map(({ path }) => ({ path, maxBytes: maxEntrySize, judge: checkEntryForm })),
  );
  const chain = await poolsBefore(from.source, read);
  const { generations } = chain;
  const newest: Step[] = [];
  const past: Step[] = [];
  for (const [index, { record }] of generations.entries()) {
    const hash = index === 0 ? hex(sha256(read.bytes)) : generations[index - 1]?.record.previous;
    if (hash === undefined || hash === null) continue;
    const { generation, members } = record;
    const list = await from.source.read(membersPath(pool, generation), maxMembersSize);
    if (list === undefined || hex(sha256(list)) !== members) continue;
    const steps = await folderSteps(way, {
      what: `pool file ${pool} ${String(generation)}`,
      path: poolPath(pool, generation),
      record: "pool",
      hash,
      others: new Map([[recordFile.members, list]]),
      maxBytes: maxPoolSize,
      known: rosterPool(roster, pool).managers,
    });
    (index === 0 ? newest : past).push(...steps);
  }
  const { generation } = read.record;
  const isForPresent = present === undefined || (await isBelieved(from, present, pool, generation));
  const what = `pool ${pool} ${String(generation)}`;
  return { what, before, newest, isForPresent, past, gaps: gapsOf(what, chain, notCarried) };
}

async function isBelieved(
  from: Cluster,
  present: VerifiedRoster,
  pool: string,
  generation: number,
): Promise<boolean> {
  try {
    await readPoolAt(from, present, pool, generation);
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

/** What brings the newest roster there, and then those before it. @throws Failure `generation/conflict` */
export async function planRoster(
  way: Way,
  read: Read<VerifiedRoster>,
  known: readonly SignerKey[],
): Promise<Pick<PoolCopy, "newest" | "past" | "gaps">> {
  const chain = await rostersBefore(way.from, read);
  const { generations } = chain;
  const newest: Step[] = [];
  const past: Step[] = [];
  for (const [index, { record }] of generations.entries()) {
    const hash = index === 0 ? hex(sha256(read.bytes)) : generations[index - 1]?.record.previous;
    if (hash === undefined || hash === null) continue;
    const steps = await folderSteps(way, {
      what: `roster ${String(record.generation)}`,
      path: rosterPath(record.generation),
      record: "roster",
      hash,
      others: new Map(),
      maxBytes: maxRosterSize,
      known,
    });
    (index === 0 ? newest : past).push(...steps);
  }
  return { newest, past, gaps: gapsOf("the roster", chain, notCarried) };
}
