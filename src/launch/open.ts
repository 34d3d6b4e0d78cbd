import { readRoster } from "../cluster/cluster.ts";
import { openNode, type Located } from "../cluster/configuration.ts";
import { noMemory, type Memory } from "../cluster/memory.ts";
import { readSynced } from "../cluster/mirror/age.ts";
import { openCredentials, type OpenedCredential } from "../cluster/opening.ts";
import { wipe } from "../crypto/bytes.ts";
import type { Identity } from "../crypto/identity.ts";
import { Failure } from "../failure.ts";
import type { NodeConfiguration } from "../formats/configuration.ts";
import { ageFailure, clockFailure } from "../trust/freshness.ts";
import type { VerifiedPool } from "../trust/pool.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { describeGeneration } from "../trust/statement.ts";
import { requireDeliverable, selectFrom } from "./select.ts";
import {
  hashOf,
  readWanted,
  type BundleRequest,
  type DecidedStatement,
  type StatementRequest,
  type WantedStatement,
} from "./wanted-statement.ts";

/** What a start asks for. */
export interface OpeningRequest extends StatementRequest {
  readonly bundles: readonly BundleRequest[];
  /** The credentials wanted, each of one of the bundles; all of them if undefined. */
  readonly credentials: readonly string[] | undefined;
}

/** A bundle that was opened. */
export interface OpenedBundle extends DecidedStatement {
  readonly bundle: string;
  /** The store path that it came from, if it came from one. */
  readonly path?: string;
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
  for (const { record } of statements.map(({ read }) => read)) {
    const said = `bundle ${record.name} ${describeGeneration(record)} was signed`;
    const behind = clockFailure(said, record.created, now);
    if (behind !== undefined) warnings.set(behind.message, behind);
  }
  const selected = selectFrom(
    statements.map(({ read }) => read),
    request.credentials,
  );
  requireDeliverable(selected);
  const identities = await readIdentities();
  const credentials: OpenedCredential[] = [];
  try {
    for (const { read, cluster: holder, path } of statements) {
      const options = {
        names: selected.get(read) ?? [],
        node: node.configuration.node,
        judgePool: (pool: VerifiedPool): void => {
          judgeAge(pool, `pool file ${pool.pool} ${String(pool.generation)}`);
        },
      };
      const opening = openCredentials(holder, roster, read.record, identities, options);
      credentials.push(...(await opening.catch((error: unknown) => explainPath(error, path))));
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

/** A path that is older than an epoch is helped by `rewrap` only where its values are the newest ones. */
function explainPath(error: unknown, path: string | undefined): never {
  if (path === undefined || !(error instanceof Failure) || error.code !== "header/absent")
    throw error;
  throw new Failure(
    error.code,
    `${error.message}, neither in ${path} nor in the source`,
    "'sealaunch rewrap' as an operator or member, if these are the newest values; else let the unit name a newer path ('sealaunch copy NAME --from dir:. --to nix:')",
  );
}

function describeOpened({ read, path }: WantedStatement): OpenedBundle {
  const { name, series, generation } = read.record;
  const signers = read.signers.map((signer) => signer.name);
  const opened = { bundle: name, series, generation, statement: hashOf(read), signers };
  return path === undefined ? opened : { ...opened, path };
}
