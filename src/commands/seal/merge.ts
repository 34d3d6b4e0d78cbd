import { checkHeader } from "../../cluster/checking.ts";
import { readStatement, type Cluster, type ReadStatement } from "../../cluster/cluster.ts";
import type { Located } from "../../cluster/configuration.ts";
import { noMarks } from "../../cluster/marks.ts";
import { statementsBefore } from "../../cluster/past.ts";
import { describeCredential, readPayload } from "../../cluster/payloads.ts";
import { hex } from "../../crypto/bytes.ts";
import { sha256 } from "../../crypto/digest.ts";
import { Failure } from "../../failure.ts";
import { maxHeaderSize } from "../../formats/age/profile.ts";
import type { RepositoryConfiguration } from "../../formats/configuration.ts";
import { bundleFolder, headerPath, payloadPath } from "../../formats/paths.ts";
import { checkPayloadHash } from "../../formats/payload.ts";
import { encodeStatement, type Statement } from "../../formats/records/statement.ts";
import type { Source } from "../../sources/source.ts";
import { openSourceAt } from "../../sources/open.ts";
import { mergeContents, type Merged } from "../../trust/merging.ts";
import type { VerifiedPool } from "../../trust/pool.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import type { Context } from "../context.ts";

/** Another branch's generations of a bundle, and what both branches' changes come to. */
export interface Merge extends Merged {
  /** The other branch's newest generation, which the next one follows. */
  readonly generation: number;
  readonly previous: string;
  readonly theirs: Source;
}

/**
 * What joins the newest statement here with that of a revision. Nothing is written.
 *
 * @throws Failure `bundle/absent`, `bundle/values-needed` if they are for other pools; `git/failed`,
 *   `source/unknown`; all that `readStatement` refuses
 */
export async function readMerge(
  context: Context,
  { configuration, directory }: Located<RepositoryConfiguration>,
  cluster: Cluster,
  roster: VerifiedRoster,
  bundle: string,
  revision: string,
): Promise<Merge> {
  const { source: url } = configuration;
  const source = await openSourceAt(url, directory, revision, context.environment);
  const ours = await readStatement(cluster, roster, bundle);
  // What another branch has is no news of this one.
  const theirs = await readStatement({ ...cluster, source, marks: noMarks }, roster, bundle);
  if (ours === undefined || theirs === undefined) {
    const without = ours === undefined ? cluster.source.name : source.name;
    throw new Failure("bundle/absent", `${without} has no bundle ${bundle}, so nothing to join`);
  }
  if (ours.record.audience.join() !== theirs.record.audience.join()) {
    throw new Failure(
      "bundle/values-needed",
      `bundle ${bundle} is for ${ours.record.audience.join(", ")} here, and for ${theirs.record.audience.join(", ")} in ${source.name}`,
      "take the other branch's generations, then seal all values for the pools that are meant",
    );
  }
  const base = await commonStatement(cluster.source, ours, source, theirs);
  return {
    ...mergeContents(base, ours.record, theirs.record),
    generation: theirs.record.generation,
    previous: hex(sha256(theirs.bytes)),
    theirs: source,
  };
}

/** The newest statement that both branches have; undefined if both began the bundle. */
async function commonStatement(
  here: Source,
  ours: ReadStatement,
  there: Source,
  theirs: ReadStatement,
): Promise<Statement | undefined> {
  const ourChain = await statementsBefore(here, ours);
  const theirChain = await statementsBefore(there, theirs);
  const known = new Set(ourChain.generations.map(({ record }) => hashOf(record)));
  return theirChain.generations.find(({ record }) => known.has(hashOf(record)))?.record;
}

const hashOf = (statement: Statement): string => hex(sha256(encodeStatement(statement)));

/**
 * Returns if every credential that both branches changed is given anew or removed.
 *
 * @throws Failure `bundle/undecided`
 */
export function requireDecided(
  bundle: string,
  { undecided }: Merge,
  decided: readonly string[],
): void {
  const open = undecided.filter((name) => !decided.includes(name));
  if (open.length === 0) return;
  throw new Failure(
    "bundle/undecided",
    `both branches have changed ${open.join(", ")} of bundle ${bundle}`,
    `decide in the same command: ${open.map((name) => `${name}=FILE, or --remove ${name}`).join("; ")}`,
  );
}

/**
 * After it, the payloads and headers of the other branch's credentials are here too.
 *
 * @throws Failure `payload/…`, `header/…` if it lacks one for a pool's current epoch; `write/refused`
 */
export async function bringObjects(
  cluster: Cluster,
  bundle: string,
  credentials: Statement["credentials"],
  pools: readonly VerifiedPool[],
  theirs: Source,
): Promise<void> {
  const present = new Set(await cluster.source.list(`${bundleFolder(bundle)}/values`));
  for (const credential of credentials) {
    const path = payloadPath(bundle, credential.payload);
    if (present.has(credential.payload)) continue;
    const payload = await readPayload(theirs, bundle, credential);
    checkPayloadHash(payload, credential.payload, describeCredential(bundle, credential));
    for (const pool of pools) {
      await checkHeader({ ...cluster, source: theirs }, bundle, credential, pool);
      const header = headerPath(pool.pool, pool.current.epoch, bundle, credential.payload);
      const bytes = await theirs.read(header, maxHeaderSize);
      if (bytes !== undefined) await cluster.source.write(header, bytes);
    }
    await cluster.source.write(path, payload);
  }
}
