import { wipe } from "../crypto/bytes.ts";
import type { Identity } from "../crypto/identity.ts";
import { Failure } from "../failure.ts";
import { checkEntryForm, maxEntrySize } from "../formats/entry.ts";
import { maxHeaderSize, parseDetachedHeader } from "../formats/age/profile.ts";
import { entryPath, headerPath } from "../formats/paths.ts";
import { checkPayloadHash, checkPayloadSize } from "../formats/payload.ts";
import type { StatementCredential } from "../formats/records/statement.ts";
import { ageFailure, clockFailure, requireFresh } from "../trust/freshness.ts";
import { owedValues, type OwedValue } from "../trust/owed-values.ts";
import type { VerifiedPool } from "../trust/pool.ts";
import { rosterName, type VerifiedRoster } from "../trust/roster.ts";
import { describeGeneration, isExpired, type VerifiedStatement } from "../trust/statement.ts";
import { readMembers, readPool, requirePool, requireStatement, type Cluster } from "./cluster.ts";
import { openCredentials } from "./opening.ts";
import { named } from "./named.ts";
import { describeCredential, describeHeader, readPayload } from "./payloads.ts";

/** What was found of one object: what it is, which generation, and all that is wrong with it. */
export interface Finding {
  readonly object: string;
  readonly generation: string;
  readonly failures: readonly Failure[];
  /** What harms nobody and should go; none unless it was looked for. */
  readonly notes?: readonly Failure[];
}

/** Runs `check` and gives its failure as a value; anything else that it throws is a bug. */
async function failureOf(check: () => Promise<unknown>): Promise<Failure[]> {
  try {
    await check();
    return [];
  } catch (error) {
    if (error instanceof Failure) return [error];
    throw error;
  }
}

async function failuresOf(checks: readonly (() => Promise<unknown>)[]): Promise<Failure[]> {
  return (await Promise.all(checks.map(failureOf))).flat();
}

/** Whether the roster is still fresh. That it is signed was judged when it was read. */
export function checkRoster(roster: VerifiedRoster, now: Date): Finding {
  const what = `roster ${String(roster.generation)}`;
  return {
    object: "roster",
    generation: String(roster.generation),
    failures: [ageFailure(roster, what, now)].filter((failure) => failure !== undefined),
  };
}

/**
 * What can be told of a pool without a key: signature, freshness, member list, and that each
 * member and operator has an entry of the right form.
 */
export async function checkPool(
  cluster: Cluster,
  roster: VerifiedRoster,
  name: string,
): Promise<Finding> {
  let generation = "-";
  const failures = await failureOf(async () => {
    const pool = (await readPool(cluster, roster, name))?.record;
    // No member yet: nothing that could be wrong.
    if (pool === undefined) return;
    generation = String(pool.generation);
    const what = `pool file ${name} ${generation}`;
    requireFresh(pool, what, cluster.now);
    const { members } = await readMembers(cluster.source, pool);
    for (const { name: operator, recipient } of roster.operators) {
      await checkEntry(cluster, pool, recipient, `operator ${operator}`);
    }
    for (const { node, recipient } of members) {
      await checkEntry(cluster, pool, recipient, `node ${node}`);
    }
  });
  return { object: `pool ${name}`, generation, failures };
}

async function checkEntry(
  { source }: Cluster,
  { pool, current }: VerifiedPool,
  recipient: VerifiedPool["current"]["recipient"],
  whose: string,
): Promise<void> {
  const path = entryPath(pool, current.epoch, recipient);
  const bytes = await source.read(path, maxEntrySize);
  if (bytes === undefined) {
    throw new Failure("entry/absent", `pool ${pool} has no entry for ${whose}: ${path}`);
  }
  named(`entry of ${whose} in pool ${pool}, ${path}`, () => {
    checkEntryForm(bytes);
  });
}

/**
 * What can be told of a bundle without a key: signature, expiry, and that every payload is the
 * one that was signed and has a well-formed header for each pool's current epoch. With an
 * identity, also that each value opens and was sealed for this.
 */
export async function checkBundle(
  cluster: Cluster,
  roster: VerifiedRoster,
  bundle: string,
  identity: Identity | undefined,
): Promise<Finding> {
  const object = `bundle ${bundle}`;
  let statement: VerifiedStatement;
  let pools: VerifiedPool[];
  try {
    statement = await requireStatement(cluster, roster, bundle);
    pools = await Promise.all(statement.audience.map((pool) => requirePool(cluster, roster, pool)));
  } catch (error) {
    if (error instanceof Failure) return { object, generation: "-", failures: [error] };
    throw error;
  }
  const failures = await failuresOf([
    // eslint-disable-next-line @typescript-eslint/require-await -- a throw becomes a rejection
    async () => {
      checkTime(statement, roster, cluster.now);
    },
    ...owedValues(statement, pools).map((owed) => () => Promise.reject(describeOwed(owed))),
    ...statement.credentials.flatMap((credential) => [
      () => checkPayload(cluster, bundle, credential),
      ...pools.map((pool) => () => checkHeader(cluster, bundle, credential, pool)),
    ]),
  ]);
  // One reason for one fault: what opens nothing because a header is missing isn't said twice.
  if (failures.length === 0 && identity !== undefined) {
    failures.push(...(await failureOf(() => openAll(cluster, roster, statement, identity))));
  }
  return { object, generation: describeGeneration(statement), failures };
}

function checkTime(statement: VerifiedStatement, roster: VerifiedRoster, now: Date): void {
  const what = `bundle ${statement.name} ${describeGeneration(statement)}`;
  const behind = clockFailure(`${what} was signed`, statement.created, now);
  if (behind !== undefined) throw behind;
  if (isExpired(statement.expires, now)) {
    throw new Failure("bundle/expired", `${what} expired ${String(statement.expires)}`);
  }
  const { minimum } = rosterName(roster, statement.name);
  if (statement.generation < minimum) {
    throw new Failure(
      "bundle/below-minimum",
      `${what} is below the roster's minimum ${String(minimum)}`,
    );
  }
}

function describeOwed({ bundle, credential, pool, sealedIn, current }: OwedValue): Failure {
  return new Failure(
    "value/owed",
    `credential ${credential} of ${bundle} was sealed in epoch ${String(sealedIn)} of pool ${pool}, which is in epoch ${String(current)} since a node was removed that could read it`,
    `make a new value where it is used, then: sealaunch seal ${bundle} ${credential}`,
  );
}

export async function checkPayload(
  { source }: Cluster,
  bundle: string,
  credential: StatementCredential,
): Promise<void> {
  const what = describeCredential(bundle, credential);
  const bytes = await readPayload(source, bundle, credential);
  checkPayloadHash(bytes, credential.payload, what);
  checkPayloadSize(bytes, credential.sizeClass, what);
}

export async function checkHeader(
  { source }: Cluster,
  bundle: string,
  credential: StatementCredential,
  { pool, current }: VerifiedPool,
): Promise<void> {
  const what = describeCredential(bundle, credential);
  const path = headerPath(pool, current.epoch, bundle, credential.payload);
  const bytes = await source.read(path, maxHeaderSize + 1);
  if (bytes === undefined) {
    throw new Failure(
      "header/absent",
      `${what}: no header for ${pool} epoch ${String(current.epoch)}`,
    );
  }
  named(describeHeader(bundle, credential, { pool, epoch: current.epoch }), () =>
    parseDetachedHeader(bytes),
  );
}

async function openAll(
  cluster: Cluster,
  roster: VerifiedRoster,
  statement: VerifiedStatement,
  identity: Identity,
): Promise<void> {
  const opened = await openCredentials(cluster, roster, statement, [identity]);
  wipe(...opened.map(({ value }) => value));
}
