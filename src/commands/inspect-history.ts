import { readPool, readRoster, requireReadStatement, type Cluster } from "../cluster/cluster.ts";
import {
  nodesOf,
  poolsBefore,
  rostersBefore,
  statementsBefore,
  type Chain,
} from "../cluster/past.ts";
import { Failure } from "../failure.ts";
import { parseName } from "../formats/names.ts";
import type { Roster } from "../formats/records/roster.ts";
import { fingerprint, type SignerKey } from "../formats/sshsig/public-key.ts";
import { periodsOf, readersWithin, type Holding, type Period } from "../trust/readers.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { describeGeneration } from "../trust/statement.ts";
import type { Context } from "./context.ts";
import { parseMoment } from "./expiry.ts";
import { openHere } from "./repository.ts";

/** Tells who could read a bundle between two times, which generations, and who had signed them. */
export async function inspectHistory(
  context: Context,
  name: string,
  between: readonly string[],
): Promise<void> {
  const bundle = parseName("bundle", name);
  const within = periodOf(between, context.now);
  const cluster = await openHere(context);
  const roster = await readRoster(cluster);
  const statement = await requireReadStatement(cluster, roster.record, bundle);
  const rosters = await rostersBefore(cluster.source, roster);
  const statements = await statementsBefore(cluster.source, statement);
  const periods = periodsOf(
    statements.generations.map(({ record, signers }) => ({ ...record, signers })),
    ({ created }) => created,
  );
  const names = [...new Set(periods.flatMap(({ record }) => record.audience))].sort();
  const nodes = await Promise.all(
    names.map((pool) => holdingsOf(context, cluster, roster.record, pool)),
  );
  const readings = readersWithin(
    periods.flatMap(({ record: { audience, generation }, from, until }) =>
      audience.map((pool) => ({ pool, generation, from, until })),
    ),
    [...nodes.flat(), ...operatorsOf(rosters, names)],
    within,
  );
  warnOfGap(context, `bundle ${bundle}`, statements);
  warnOfGap(context, "the roster", rosters);
  await context.table(
    ["could read", "pool", "from", "until", "generations"],
    readings.map(({ who, pool, from, until, generations }) => [
      who,
      pool,
      from,
      until ?? "now",
      generations.join(", "),
    ]),
  );
  const signed = periods
    .filter(({ from, until }) => overlaps({ from, until }, within))
    .map(({ record, from, until }) => ({
      generation: describeGeneration(record),
      from,
      until: until ?? null,
      signers: record.signers.map((key) => whoHad(rosters, key)),
      audience: record.audience,
      units: record.units,
      credentials: record.credentials.map((credential) => credential.name),
    }));
  context.print("");
  await context.table(
    ["generation", "from", "signed by", "for", "may ask", "credentials"],
    signed.map(({ generation, from, signers, audience, units, credentials }) => [
      generation,
      from,
      signers.join(", "),
      audience.join(", "),
      units.join(", "),
      credentials.join(", "),
    ]),
  );
  context.result({
    name: bundle,
    readers: readings.map((reading) => ({ ...reading, until: reading.until ?? null })),
    generations: signed,
  });
}

function periodOf(between: readonly string[], now: Date): Period {
  const [from, until, ...more] = between.map((text) => parseMoment(text, now));
  if (from !== undefined && until !== undefined && more.length === 0 && from < until) {
    return { from, until };
  }
  throw new Failure(
    "usage/invalid",
    `--between needs two times, the earlier first, and was given ${between.join(" ")}`,
    "say --between 2026-01-01 now",
  );
}

function overlaps(a: Period, b: Period): boolean {
  return (b.until === undefined || a.from < b.until) && (a.until === undefined || b.from < a.until);
}

async function holdingsOf(
  context: Context,
  cluster: Cluster,
  roster: VerifiedRoster,
  pool: string,
): Promise<Holding[]> {
  // A pool that the roster has dropped is told of as far as it can be: not at all.
  if (roster.pools.every((one) => one.name !== pool)) {
    context.warn(`the roster has no pool ${pool} any more: who was in it isn't told`);
    return [];
  }
  const newest = await readPool(cluster, roster, pool);
  if (newest === undefined) return [];
  const chain = await poolsBefore(cluster.source, newest);
  warnOfGap(context, `pool ${pool}`, chain);
  const records = chain.generations.map(({ record }) => record);
  const holdings = await Promise.all(
    periodsOf(records, ({ issued }) => issued).map(async ({ record, from, until }) => {
      const nodes = await nodesOf(cluster.source, record);
      if (nodes === undefined) {
        context.warn(`pool ${pool} ${String(record.generation)}: its member list isn't there`);
      }
      return (nodes ?? []).map((node) => ({ who: `node ${node}`, pool, from, until }));
    }),
  );
  return holdings.flat();
}

function operatorsOf({ generations }: Chain<Roster>, pools: readonly string[]): Holding[] {
  const records = generations.map(({ record }) => record);
  return periodsOf(records, ({ issued }) => issued).flatMap(({ record, from, until }) =>
    record.operators.flatMap(({ name }) =>
      pools.map((pool) => ({ who: `operator ${name}`, pool, from, until })),
    ),
  );
}

/** The name that the latest roster which knew the key gave it, else its fingerprint. */
function whoHad({ generations }: Chain<Roster>, key: SignerKey): string {
  for (const { record } of generations) {
    const known = record.signers.find(({ signer }) => signer === key);
    if (known !== undefined) return known.name;
  }
  return fingerprint(key);
}

function warnOfGap(context: Context, what: string, { brokenAt }: Chain<unknown>): void {
  if (brokenAt === undefined) return;
  context.warn(
    `${what}: what came before generation ${String(brokenAt)} isn't there, or isn't what it names; nothing is told of it`,
  );
}
