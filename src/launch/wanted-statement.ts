import {
  readStatementAt,
  requireReadStatement,
  type Cluster,
  type ReadStatement,
} from "../cluster/cluster.ts";
import { readStored, requireFloor } from "../cluster/sealed-path.ts";
import { hex } from "../crypto/bytes.ts";
import { sha256 } from "../crypto/digest.ts";
import { Failure } from "../failure.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { describeGeneration, judgeStart } from "../trust/statement.ts";

/** A bundle that a start asks for. */
export interface BundleRequest {
  readonly bundle: string;
  /** The least generation that will do; 0 for any. */
  readonly floor: number;
  /** The store path that has it; the newest of the source if undefined. */
  readonly path?: string | undefined;
}

/** The one statement of a bundle that a start has been decided to get. */
export interface DecidedStatement {
  readonly series: number;
  readonly generation: number;
  /** Hex of the SHA-256 of its bytes. */
  readonly statement: string;
}

/** Who asks for bundles, and what was decided already. */
export interface StatementRequest {
  /** The unit's name, self-declared in place. */
  readonly unit: string | undefined;
  readonly inPlace: boolean;
  /** By bundle, what was decided when this start began; the newest of those that aren't named. */
  readonly decided?: ReadonlyMap<string, DecidedStatement>;
}

/** A statement that a start may have, and where what it names is. */
export interface WantedStatement {
  readonly cluster: Cluster;
  readonly read: ReadStatement;
  /** The store path that it came from, if it came from one. */
  readonly path: string | undefined;
}

/**
 * The statement that a start may have of a bundle: that of the store path that it names, the newest, or
 * the one that was decided.
 *
 * @throws Failure `bundle/…`; all that `judgeStatement` refuses
 */
export async function readWanted(
  cluster: Cluster,
  roster: VerifiedRoster,
  { unit, inPlace, decided }: StatementRequest,
  { bundle, floor, path }: BundleRequest,
): Promise<WantedStatement> {
  const before = decided?.get(bundle);
  const found = await findStatement(cluster, roster, { bundle, floor, path }, before);
  if (found === undefined || (before !== undefined && hashOf(found.read) !== before.statement)) {
    throw new Failure(
      "bundle/absent",
      `${path ?? cluster.source.name} has no longer bundle ${bundle} ${before === undefined ? "" : describeGeneration(before)} as this start began with it`,
    );
  }
  judgeStart(found.read.record, roster, { unit, inPlace, floor }, cluster.now);
  return found;
}

/**
 * As {@link readWanted}, whoever asks; undefined if what was decided is gone.
 *
 * @throws Failure `bundle/absent`, `bundle/wrong-path`; all that `judgeStatement` refuses
 */
export async function findStatement(
  cluster: Cluster,
  roster: VerifiedRoster,
  { bundle, floor, path }: BundleRequest,
  before?: DecidedStatement,
): Promise<WantedStatement | undefined> {
  if (path !== undefined) {
    const stored = await readStored(cluster, roster, bundle, path);
    requireFloor(stored, path, floor);
    return { ...stored, path };
  }
  const read =
    before === undefined
      ? await requireReadStatement(cluster, roster, bundle)
      : await readStatementAt(cluster, roster, { bundle, ...before });
  return read && { cluster, read, path: undefined };
}

/** Hex of the SHA-256 of a statement's bytes. */
export function hashOf({ bytes }: ReadStatement): string {
  return hex(sha256(bytes));
}
