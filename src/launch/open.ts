import { readRoster, requireStatement, type Cluster } from "../cluster/cluster.ts";
import { openNode, readIdentity, readNode } from "../cluster/configuration.ts";
import { openCredentials, type OpenedCredential } from "../cluster/opening.ts";
import { wipe } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import { describeStale, isStale } from "../trust/freshness.ts";
import type { VerifiedPool } from "../trust/pool.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { judgeStart, type VerifiedStatement } from "../trust/statement.ts";

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
}

/** What a start got. */
export interface Opening {
  /** The caller wipes the values. */
  readonly credentials: readonly OpenedCredential[];
  /** One line each, without "warning:". */
  readonly warnings: readonly string[];
}

/**
 * Every credential that a start asks for, verified from the root keys on; or none of them.
 *
 * @param nodeConfiguration - path of node.json; the default place if undefined
 * @throws Failure everything that a reader refuses (docs/bundle-format.md §9)
 */
export async function openBundles(
  request: OpeningRequest,
  nodeConfiguration: string | undefined,
  now: Date,
): Promise<Opening> {
  const node = await readNode(nodeConfiguration);
  const cluster = await openNode(node, now);
  const { record: roster } = await readRoster(cluster);
  const warnings: string[] = [];
  const judgeAge = (record: Parameters<typeof isStale>[0], what: string): void => {
    if (!isStale(record, now)) return;
    const message = `${describeStale(record, what)}; now is ${now.toISOString()}`;
    if (node.configuration.refuseStale) throw new Failure("roster/stale", message);
    warnings.push(message);
  };
  judgeAge(roster, `roster ${String(roster.generation)}`);
  const wanted = await selectBundles(cluster, roster, request);
  const identity = await readIdentity(node.configuration.identity);
  const credentials: OpenedCredential[] = [];
  try {
    for (const [statement, names] of wanted) {
      const options = {
        names,
        node: node.configuration.node,
        judgePool: (pool: VerifiedPool): void => {
          judgeAge(pool, `pool file ${pool.pool} ${String(pool.generation)}`);
        },
      };
      credentials.push(...(await openCredentials(cluster, roster, statement, identity, options)));
    }
    return { credentials, warnings: [...new Set(warnings)] };
  } catch (error) {
    wipe(...credentials.map(({ value }) => value));
    throw error;
  } finally {
    wipe(identity.seed);
  }
}

/** The statements that a start may have, and which of their credentials it wants. */
async function selectBundles(
  cluster: Cluster,
  roster: VerifiedRoster,
  { bundles, credentials, unit, inPlace }: OpeningRequest,
): Promise<ReadonlyMap<VerifiedStatement, string[]>> {
  const statements = await Promise.all(
    bundles.map(async ({ bundle, floor }) => {
      const statement = await requireStatement(cluster, roster, bundle);
      judgeStart(statement, roster, { unit, inPlace, floor }, cluster.now);
      return statement;
    }),
  );
  const selected = new Map(statements.map((statement) => [statement, [] as string[]]));
  const names = new Set(
    credentials ?? statements.flatMap((statement) => statement.credentials.map(({ name }) => name)),
  );
  for (const name of names) {
    const holders = statements.filter((statement) =>
      statement.credentials.some((credential) => credential.name === name),
    );
    const [holder, other] = holders;
    if (holder === undefined) {
      const asked = bundles.map(({ bundle }) => bundle).join(", ");
      throw new Failure("credential/missing", `no bundle of ${asked} has a credential ${name}`);
    }
    if (other !== undefined) {
      throw new Failure(
        "usage/invalid",
        `credential ${name} is in ${holder.name} and in ${other.name}`,
        "ask for one of the two bundles, or rename the credential in one of them",
      );
    }
    selected.get(holder)?.push(name);
  }
  return selected;
}
