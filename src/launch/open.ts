import {
  readRoster,
  readStatementAt,
  requireReadStatement,
  type Cluster,
  type ReadStatement,
} from "../cluster/cluster.ts";
import { openNode, type Located } from "../cluster/configuration.ts";
import { noMemory, type Memory } from "../cluster/memory.ts";
import { readSynced } from "../cluster/mirror-age.ts";
import { openCredentials, type OpenedCredential } from "../cluster/opening.ts";
import { hex, wipe } from "../crypto/bytes.ts";
import { sha256 } from "../crypto/digest.ts";
import type { Identity } from "../crypto/identity.ts";
import { Failure } from "../failure.ts";
import type { NodeConfiguration } from "../formats/configuration.ts";
import { ageFailure, clockFailure } from "../trust/freshness.ts";
import type { VerifiedPool } from "../trust/pool.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { describeGeneration, judgeStart } from "../trust/statement.ts";
import { selectFrom } from "./select.ts";

/** The one statement of a bundle that a start has been decided to get. */
export interface PinnedStatement {
  readonly series: number;
  readonly generation: number;
  /** Hex of the SHA-256 of its bytes. */
  readonly statement: string;
}

/** A bundle that a start asks for. */
export interface BundleRequest {
  readonly bundle: string;
  /** The least generation that will do; 0 for any. */
  readonly floor: number;
}

/** What a start asks for. */
export interface OpeningRequest {
  readonly bundles: readonly BundleRequest[];
  /** The credentials wanted, each of one of the bundles; all of them if undefined. */
  readonly credentials: readonly string[] | undefined;
  /** The unit's name, self-declared in place. */
  readonly unit: string | undefined;
  readonly inPlace: boolean;
  /** By bundle, what was decided when this start began; the newest of those that aren't named. */
  readonly decided?: ReadonlyMap<string, PinnedStatement>;
}

/** A bundle that was opened. */
export interface OpenedBundle extends PinnedStatement {
  readonly bundle: string;
  /** Who signed it, by the roster's names. */
  readonly signers: readonly string[];
}

/** What a start got. */
export interface Opening {
  /** The caller wipes the values. */
  readonly credentials: readonly OpenedCredential[];
  readonly bundles: readonly OpenedBundle[];
  /** When sync has last brought the mirror up to date; undefined without one, or if it doesn't say. */
  readonly mirroredAt: string | undefined;
  /** What the node is configured to go on with. */
  readonly warnings: readonly Failure[];
}

/**
 * Every credential that a start asks for, verified from the root keys on; or none of them.
 *
 * @param readIdentities - the node's identity, and its next one while it rotates; their seeds are wiped here
 * @param memory - of a process that goes on
 * @throws Failure everything that a reader refuses (docs/bundle-format.md §9)
 */
export async function openBundles(
  request: OpeningRequest,
  node: Located<NodeConfiguration>,
  readIdentities: () => Promise<readonly Identity[]>,
  now: Date,
  memory: Memory = noMemory,
): Promise<Opening> {
  const cluster = await openNode(node, now, memory);
  const { record: roster } = await readRoster(cluster);
  const warnings = new Map<string, Failure>();
  const judgeAge = (record: VerifiedRoster | VerifiedPool, what: string): void => {
    const failure = ageFailure(record, what, now);
    if (failure === undefined) return;
    if (node.configuration.refuseStale) throw failure;
    warnings.set(failure.message, failure);
  };
  judgeAge(roster, `roster ${String(roster.generation)}`);
  const statements = await Promise.all(
    request.bundles.map((wanted) => readWanted(cluster, roster, request, wanted)),
  );
  for (const { record } of statements) {
    const said = `bundle ${record.name} ${describeGeneration(record)} was signed`;
    const behind = clockFailure(said, record.created, now);
    if (behind !== undefined) warnings.set(behind.message, behind);
  }
  const selected = selectFrom(statements, request.credentials);
  const identities = await readIdentities();
  const credentials: OpenedCredential[] = [];
  try {
    for (const [{ record: statement }, names] of selected) {
      const options = {
        names,
        node: node.configuration.node,
        judgePool: (pool: VerifiedPool): void => {
          judgeAge(pool, `pool file ${pool.pool} ${String(pool.generation)}`);
        },
      };
      credentials.push(...(await openCredentials(cluster, roster, statement, identities, options)));
    }
    const bundles = statements.map(describeOpened);
    const mirroredAt = (await readSynced(cluster.source, node.configuration))?.at;
    return { credentials, bundles, mirroredAt, warnings: [...warnings.values()] };
  } catch (error) {
    wipe(...credentials.map(({ value }) => value));
    throw error;
  } finally {
    wipe(...identities.map(({ seed }) => seed));
  }
}

/** The statement that a start may have of a bundle: the newest, or the one that was decided. */
async function readWanted(
  cluster: Cluster,
  roster: VerifiedRoster,
  { unit, inPlace, decided }: OpeningRequest,
  { bundle, floor }: BundleRequest,
): Promise<ReadStatement> {
  const pinned = decided?.get(bundle);
  const read =
    pinned === undefined
      ? await requireReadStatement(cluster, roster, bundle)
      : await readStatementAt(cluster, roster, { bundle, ...pinned });
  if (read === undefined || (pinned !== undefined && hashOf(read) !== pinned.statement)) {
    throw new Failure(
      "bundle/absent",
      `${cluster.source.name} has no longer bundle ${bundle} ${pinned === undefined ? "" : describeGeneration(pinned)} as this start began with it`,
    );
  }
  judgeStart(read.record, roster, { unit, inPlace, floor }, cluster.now);
  return read;
}

function hashOf({ bytes }: ReadStatement): string {
  return hex(sha256(bytes));
}

function describeOpened(read: ReadStatement): OpenedBundle {
  const { name, series, generation } = read.record;
  const signers = read.signers.map((signer) => signer.name);
  return { bundle: name, series, generation, statement: hashOf(read), signers };
}
