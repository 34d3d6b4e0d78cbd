import { nodesOfPool, operatorsOf } from "../../cluster/holders.ts";
import { gapsOf, rostersBefore, statementsBefore, type Chain } from "../../cluster/past.ts";
import { Failure } from "../../failure.ts";
import type { Roster } from "../../formats/records/roster.ts";
import { fingerprint, type SignerKey } from "../../formats/sshsig/public-key.ts";
import { periodsOf, readersWithin, type Period } from "../../trust/readers.ts";
import { describeGeneration } from "../../trust/statement.ts";
import type { Context } from "../context.ts";
import { parseMoment } from "../expiry.ts";
import { readSubject, type Subject } from "./subject.ts";

/** Tells who could read a bundle between two times, which generations, and who had signed them. */
export async function inspectHistory(
  context: Context,
  subject: Subject,
  between: readonly string[],
): Promise<void> {
  const within = periodOf(between, context.now);
  const { cluster, roster } = subject;
  const statement = await readSubject(subject);
  const bundle = statement.record.name;
  const rosters = await rostersBefore(cluster.source, roster);
  const statements = await statementsBefore(cluster.source, statement);
  const periods = periodsOf(
    statements.generations.map(({ record, signers }) => ({ ...record, signers: signers() })),
    ({ created }) => created,
  );
  const names = [...new Set(periods.flatMap(({ record }) => record.audience))].sort();
  const holders = await Promise.all(names.map((pool) => nodesOfPool(cluster, roster.record, pool)));
  const readings = readersWithin(
    periods.flatMap(({ record: { audience, generation }, from, until }) =>
      audience.map((pool) => ({ pool, generation, from, until })),
    ),
    [...holders.flatMap(({ holdings }) => holdings), ...operatorsOf(rosters, names)],
    within,
  );
  const gaps = [
    ...gapsOf(`bundle ${bundle}`, statements),
    ...gapsOf("the roster", rosters),
    ...holders.flatMap((one) => one.gaps),
  ];
  for (const gap of gaps) context.warn(gap);
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
    gaps,
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

/** The name that the latest roster which knew the key gave it, else its fingerprint. */
function whoHad({ generations }: Chain<Roster>, key: SignerKey): string {
  for (const { record } of generations) {
    const known = record.signers.find(({ signer }) => signer === key);
    if (known !== undefined) return known.name;
  }
  return fingerprint(key);
}
