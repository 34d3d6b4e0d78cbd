import { hex } from "../../crypto/bytes.ts";
import { sha256 } from "../../crypto/digest.ts";
import { Failure, type FailureCode } from "../../failure.ts";
import { statementPath } from "../../formats/paths.ts";
import {
  decodeStatement,
  maxStatementSize,
  type Statement,
} from "../../formats/records/statement.ts";
import type { SignerKey } from "../../formats/sshsig/public-key.ts";
import { epochsOf } from "../../trust/pool.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import { describeGeneration } from "../../trust/statement.ts";
import { checkBundle } from "../checking.ts";
import { readStatementAt, requirePool, requireReadStatement, type Cluster } from "../cluster.ts";
import { gapsOf, statementBefore, statementsBefore, type Chain } from "../past.ts";
import { folderSteps, type Folder } from "./carrying.ts";
import { notCarried, type Step, type Way } from "./objects.ts";
import { headerSteps, payloadSteps } from "./values.ts";

/** What brings a bundle there, in the order in which it has to come. */
export interface BundleCopy {
  readonly what: string;
  /** Payloads and headers, which nothing names yet. */
  readonly before: readonly Step[];
  readonly newest: readonly Step[];
  /** Whether who goes by the roster that is there would believe it. */
  readonly isForPresent: boolean;
  readonly past: readonly Step[];
  /** What of its past isn't there to be carried, a line each. */
  readonly gaps: readonly string[];
}

// What a bundle can be in without anybody having altered it: told by `verify`, and no reason to keep
// others from the state that its owners have made.
const sound: ReadonlySet<FailureCode> = new Set([
  "value/owed",
  "bundle/expired",
  "bundle/below-minimum",
  "clock/behind",
  "header/absent",
]);

/**
 * @param present - the roster that is there; undefined if there is none
 * @throws Failure whatever is wrong with the bundle; `generation/conflict`
 */
export async function planBundle(
  from: Cluster,
  { to }: Way,
  roster: VerifiedRoster,
  present: VerifiedRoster | undefined,
  bundle: string,
): Promise<BundleCopy> {
  const way = { from: from.source, to };
  const read = await requireReadStatement(from, roster, bundle);
  const { failures } = await checkBundle(from, roster, bundle, undefined);
  const fault = failures.find(({ code }) => !sound.has(code));
  if (fault !== undefined) throw fault;
  const { record: statement } = read;
  const what = `bundle ${bundle} ${describeGeneration(statement)}`;
  const earlier = await statementBefore(from.source, statement);
  // The newest two generations keep their values, so that going back needs nobody's.
  const credentials = [
    ...statement.credentials,
    ...(earlier === undefined ? [] : decodeStatement(earlier.bytes).credentials),
  ];
  const pools = await Promise.all(
    statement.audience.map((pool) => requirePool(from, roster, pool)),
  );
  const before = [
    ...(await payloadSteps(way, bundle, credentials)),
    ...(
      await Promise.all(
        pools.flatMap((pool) =>
          epochsOf(pool).map(({ epoch }) =>
            headerSteps(way, bundle, pool.pool, epoch, credentials),
          ),
        ),
      )
    ).flat(),
  ];
  const known = roster.signers.map(({ signer }) => signer);
  const newest = await folderSteps(way, folderOf(statement, hex(sha256(read.bytes)), known));
  const isForPresent = present === undefined || (await isBelieved(from, present, statement));
  const chain = await statementsBefore(way.from, read);
  const past = await pastSteps(way, chain, known);
  return { what, before, newest, isForPresent, past, gaps: gapsOf(what, chain, notCarried) };
}

function folderOf(statement: Statement, hash: string, known: readonly SignerKey[]): Folder {
  const { name, series, generation } = statement;
  return {
    what: `bundle ${name} ${describeGeneration(statement)}`,
    path: statementPath(name, series, generation),
    record: "statement",
    hash,
    others: new Map(),
    maxBytes: maxStatementSize,
    known,
  };
}

async function isBelieved(
  from: Cluster,
  present: VerifiedRoster,
  { name, series, generation, audience }: Statement,
): Promise<boolean> {
  if (!audience.every((pool) => present.pools.some((one) => one.name === pool))) return false;
  try {
    await readStatementAt(from, present, { bundle: name, series, generation });
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

/** Signed history: each generation names the bytes of the one before. */
async function pastSteps(
  way: Way,
  { generations }: Chain<Statement>,
  known: readonly SignerKey[],
): Promise<Step[]> {
  const steps: Step[] = [];
  for (const [index, { record }] of generations.entries()) {
    const hash = generations[index - 1]?.record.previous;
    if (hash === undefined || hash === null) continue;
    steps.push(...(await folderSteps(way, folderOf(record, hash, known))));
  }
  return steps;
}
