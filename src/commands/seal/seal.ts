import { hex, wipe } from "../../crypto/bytes.ts";
import { sha256 } from "../../crypto/digest.ts";
import { Failure } from "../../failure.ts";
import { readRoster, readStatement, type Cluster } from "../../cluster/cluster.ts";
import { requireRepository } from "../../cluster/configuration.ts";
import { sameChoice, sealCredential, type SealedCredential } from "../../cluster/sealing.ts";
import { formatTime } from "../../formats/fields.ts";
import { parseName } from "../../formats/names.ts";
import { recordFile, signatureFile, statementPath } from "../../formats/paths.ts";
import { encodeStatement, type Statement } from "../../formats/records/statement.ts";
import { fingerprint, type SignerKey } from "../../formats/sshsig/public-key.ts";
import { requireFresh } from "../../trust/freshness.ts";
import { rosterName } from "../../trust/roster.ts";
import { describeGeneration } from "../../trust/statement.ts";
import type { Context } from "../context.ts";
import { warnOfClock } from "../report.ts";
import { openWithMarks } from "../repository.ts";
import { readAudience } from "./audience.ts";
import { checkUnitNames, choose, keepCredentials, type SealOptions } from "./choice.ts";
import { readEarlier, requireSealed, requireUnreplaced } from "./earlier.ts";
import { readElsewhere } from "./elsewhere.ts";
import { bringObjects, readMerge, requireDecided } from "./merge.ts";
import { storeBundle } from "../copy/to-store.ts";
import { reportSealed, reportStoring } from "./report.ts";
import { readValues } from "./values.ts";
import { signersOfName } from "./who-signs.ts";
import { chooseSigner, signRecord } from "../signing.ts";

/** The next generation of a bundle, sealed, signed and written; or nothing written. */
export async function seal(context: Context, name: string, options: SealOptions): Promise<void> {
  const bundle = parseName("bundle", name);
  const repository = await requireRepository(context.directory, context.configuration);
  const cluster = await openWithMarks(context, repository);
  const { record: roster } = await readRoster(cluster);
  requireFresh(roster, `roster ${String(roster.generation)}`, context.now);
  const before = await readStatement(cluster, roster, bundle);
  if (before !== undefined)
    warnOfClock(context, `bundle ${bundle} was signed`, before.record.created);
  requireUnreplaced(bundle, options.replaces, before?.record);
  const { fromGeneration, fromCluster, merge: revision } = options;
  const merge =
    revision === undefined
      ? undefined
      : await readMerge(context, repository, cluster, roster, bundle, revision);
  const elsewhere =
    fromCluster === undefined ? undefined : await readElsewhere(context, bundle, fromCluster);
  const base =
    fromGeneration === undefined
      ? (merge?.contents ?? before?.record ?? elsewhere?.base)
      : await readEarlier(cluster, roster, bundle, fromGeneration, before?.record, options.pools);
  const choice = choose(bundle, options, context.now, base);
  const pools = await readAudience(cluster, roster, choice.audience);
  const signer = await chooseSigner(
    context,
    await signersOfName(context, roster, bundle, options.signer),
    options.signer,
    `bundle ${bundle}`,
  );
  const store =
    options.isStored === true
      ? (): Promise<string> => storeBundle(cluster, roster, bundle)
      : undefined;
  const values = await readValues(context, options);
  try {
    for (const [name, value] of (await elsewhere?.open([...values.keys()])) ?? []) {
      values.set(name, value);
    }
    const kept = keepCredentials(bundle, choice, options.remove, [...values.keys()], base);
    if (merge !== undefined) requireDecided(bundle, merge, [...options.remove, ...values.keys()]);
    if (fromGeneration !== undefined) await requireSealed(cluster, bundle, kept, pools);
    const { cluster: id } = roster;
    const sealing = { cluster: id, bundle, pools, sealedBy: signer.signer, now: context.now };
    const sealed = [...values].map(([name, value]) => sealCredential(sealing, name, value));
    checkUnitNames(choice.units, [...kept, ...sealed.map(({ credential }) => credential)]);
    if (
      sealed.length === 0 &&
      before !== undefined &&
      (merge === undefined || merge.generation < before.record.generation) &&
      sameChoice(choice, before.record) &&
      JSON.stringify(kept) === JSON.stringify(before.record.credentials)
    ) {
      context.print(
        `nothing to do: bundle ${bundle} ${describeGeneration(before.record)} says all that already`,
      );
      if (store !== undefined) await reportStoring(context, store);
      return;
    }
    const { series, minimum } = rosterName(roster, bundle);
    const statement: Statement = {
      type: "bundle",
      version: 1,
      cluster: roster.cluster,
      name: bundle,
      series,
      generation: Math.max(
        1 + Math.max(before?.record.generation ?? 0, merge?.generation ?? 0),
        minimum,
      ),
      previous: merge?.previous ?? (before === undefined ? null : hex(sha256(before.bytes))),
      created: formatTime(context.now),
      expires: choice.expires,
      rosterGeneration: roster.generation,
      audience: choice.audience,
      units: choice.units,
      inPlace: choice.inPlace,
      credentials: [...kept, ...sealed.map(({ credential }) => credential)].sort((a, b) =>
        a.name < b.name ? -1 : 1,
      ),
    };
    const bytes = encodeStatement(statement);
    const signature = await signRecord(context, signer, "bundle", bytes);
    if (merge !== undefined) await bringObjects(cluster, bundle, kept, pools, merge.theirs);
    await write(cluster, statement, bytes, signer.signer, signature, sealed);
    const said = { statement, before: before?.record, signer: fingerprint(signer.signer) };
    await reportSealed(context, said, store);
  } finally {
    wipe(...values.values());
  }
}

/** Payloads and headers first, the statement last: nothing names what isn't there yet. */
async function write(
  { source }: Cluster,
  statement: Statement,
  bytes: Uint8Array,
  signer: SignerKey,
  signature: Uint8Array,
  sealed: readonly SealedCredential[],
): Promise<void> {
  const { name, series, generation } = statement;
  for (const [path, object] of sealed.flatMap(({ objects }) => [...objects])) {
    await source.write(path, object);
  }
  const files = new Map([
    [recordFile.statement, bytes],
    [signatureFile(signer), signature],
  ]);
  if (await source.publish(statementPath(name, series, generation), files)) return;
  throw new Failure(
    "generation/conflict",
    `somebody else has sealed bundle ${name} ${describeGeneration(statement)} in the meantime`,
    `look at theirs with 'sealaunch inspect ${name}', then run the command again`,
  );
}
