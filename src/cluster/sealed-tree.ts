import type { FailureCode } from "../failure.ts";
import { maxHeaderSize } from "../formats/age/profile.ts";
import {
  headerPath,
  payloadPath,
  recordFile,
  signatureFile,
  statementPath,
} from "../formats/paths.ts";
import { maxPayloadSize } from "../formats/payload.ts";
import { maxSignatureSize } from "../formats/sshsig/signature.ts";
import { takeBundlesFrom } from "../sources/bundles-elsewhere.ts";
import { placeWithin } from "../sources/directory.ts";
import { openMemory } from "../sources/memory.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { describeGeneration, type VerifiedStatement } from "../trust/statement.ts";
import { checkBundle } from "./checking.ts";
import { requirePool, requireReadStatement, type Cluster } from "./cluster.ts";
import { noMarks } from "./marks.ts";

/** One generation of a bundle, with all that a store path is given of it. */
export interface SealedTree {
  readonly statement: VerifiedStatement;
  /** By where a source that is a directory has them. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

// What keeps no start from taking it, and others know of.
const sound: ReadonlySet<FailureCode> = new Set(["value/owed", "clock/behind"]);

/**
 * The newest generation of a bundle, judged as a reader would: its statement with the signatures that count
 * today, its payloads, and its headers for the current epochs. Nothing of it follows from when or where it
 * was read, so that the same source gives the same files.
 *
 * @throws Failure whatever would keep a start from taking it
 */
export async function readSealedTree(
  cluster: Cluster,
  roster: VerifiedRoster,
  bundle: string,
): Promise<SealedTree> {
  const read = await requireReadStatement(cluster, roster, bundle);
  const { record: statement, bytes, signers } = read;
  const { series, generation } = statement;
  const folder = statementPath(bundle, series, generation);
  const objects = new Map([[`${folder}/${recordFile.statement}`, bytes]]);
  const take = async (path: string, most: number): Promise<void> => {
    const found = await cluster.source.read(path, most);
    // What is missing is told of when the whole is judged.
    if (found !== undefined) objects.set(path, found);
  };
  for (const { signer } of signers) {
    await take(`${folder}/${signatureFile(signer)}`, maxSignatureSize);
  }
  const pools = await Promise.all(
    statement.audience.map((pool) => requirePool(cluster, roster, pool)),
  );
  for (const { payload } of statement.credentials) {
    await take(payloadPath(bundle, payload), maxPayloadSize);
    for (const { pool, current } of pools) {
      await take(headerPath(pool, current.epoch, bundle, payload), maxHeaderSize + 1);
    }
  }
  await judge(cluster, roster, statement, objects);
  const files = [...objects].map(([path, object]) => [placeWithin(path), object] as const);
  return { statement, files: new Map(files) };
}

/** Judges exactly what was read. */
async function judge(
  cluster: Cluster,
  roster: VerifiedRoster,
  statement: VerifiedStatement,
  objects: Map<string, Uint8Array>,
): Promise<void> {
  const what = `bundle ${statement.name} ${describeGeneration(statement)}`;
  const source = takeBundlesFrom(openMemory(what, objects), cluster.source);
  const seen = { ...cluster, source, marks: noMarks };
  const { failures } = await checkBundle(seen, roster, statement.name, undefined);
  const fault = failures.find(({ code }) => !sound.has(code));
  if (fault !== undefined) throw fault;
}
