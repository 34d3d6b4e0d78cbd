import { wipe } from "../crypto/bytes.ts";
import type { Identity } from "../crypto/identity.ts";
import { Failure } from "../failure.ts";
import { openProfileHeader } from "../formats/age/profile.ts";
import { openPayload, type Binding } from "../formats/payload.ts";
import type { StatementCredential } from "../formats/records/statement.ts";
import type { VerifiedPool } from "../trust/pool.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import type { VerifiedStatement } from "../trust/statement.ts";
import type { Cluster } from "./cluster.ts";
import { explainNoAccess, openAudience, wipePools, type OpenedPool } from "./entries.ts";
import { readHeaderFor, readPayload } from "./payloads.ts";

/** One credential in the clear. */
export interface OpenedCredential {
  readonly bundle: string;
  readonly name: string;
  /** SHA-256 of its payload. */
  readonly payload: string;
  /** At most 1 MiB; the caller wipes it. */
  readonly value: Uint8Array;
}

/** What else is known of an opening. */
export interface OpeningOptions {
  /** The credentials wanted; all if undefined. */
  readonly names?: readonly string[];
  /** The name that this machine is configured with, where it is a node. */
  readonly node?: string;
  /** Is shown each pool file before anything is opened, and may refuse it. */
  readonly judgePool?: (pool: VerifiedPool) => void;
}

/** So many payloads at most are in memory at the same time, however many a statement names. */
const openedAtOnce = 8;

/** What a payload of a statement has to say of itself. */
export function bindingOf(statement: VerifiedStatement, credential: string): Binding {
  return {
    cluster: statement.cluster,
    bundle: statement.name,
    credential,
    audience: statement.audience,
  };
}

/**
 * The credentials of that name in a statement, or all.
 *
 * @throws Failure `credential/missing`
 */
export function selectCredentials(
  statement: VerifiedStatement,
  names: readonly string[] | undefined,
): readonly StatementCredential[] {
  if (names === undefined) return statement.credentials;
  return names.map((wanted) => {
    const found = statement.credentials.find(({ name }) => name === wanted);
    if (found !== undefined) return found;
    const known = statement.credentials.map(({ name }) => name).join(", ");
    throw new Failure(
      "credential/missing",
      `bundle ${statement.name} has no credential ${wanted}, only ${known}`,
    );
  });
}

/**
 * The values of a statement's credentials: all that were asked for, or none.
 *
 * @throws Failure `credential/missing`, `bundle/not-for-node`, `entry/…`, `identity/other-node`,
 *   `header/…`, `payload/…`
 */
export async function openCredentials(
  cluster: Cluster,
  roster: VerifiedRoster,
  statement: VerifiedStatement,
  identities: readonly Identity[],
  { names, node, judgePool }: OpeningOptions = {},
): Promise<readonly OpenedCredential[]> {
  const wanted = selectCredentials(statement, names);
  const access = await openAudience(cluster, roster, statement.audience, identities);
  access.pools.forEach((pool) => judgePool?.(pool));
  if (access.opened.length === 0) {
    throw await explainNoAccess(cluster, access, identities, `bundle ${statement.name}`, node);
  }
  const opened: OpenedCredential[] = [];
  let failed: PromiseRejectedResult | undefined;
  for (let from = 0; from < wanted.length && failed === undefined; from += openedAtOnce) {
    const results = await Promise.allSettled(
      wanted.slice(from, from + openedAtOnce).map(async (credential) => ({
        bundle: statement.name,
        name: credential.name,
        payload: credential.payload,
        value: await openOne(cluster, statement, credential, access.opened),
      })),
    );
    for (const result of results) if (result.status === "fulfilled") opened.push(result.value);
    failed = results.find((result) => result.status === "rejected");
  }
  wipePools(access.opened);
  if (failed === undefined) return opened;
  wipe(...opened.map(({ value }) => value));
  throw failed.reason;
}

async function openOne(
  cluster: Cluster,
  statement: VerifiedStatement,
  credential: StatementCredential,
  pools: readonly OpenedPool[],
): Promise<Uint8Array> {
  const reading = readPayload(cluster.source, statement.name, credential);
  // Read beside the header, whose failure is told first; this one's is told where it is awaited.
  reading.catch(() => undefined);
  const { source } = cluster;
  const { header, reach } = await readHeaderFor(source, statement.name, credential, pools);
  const fileKey = openProfileHeader(header, reach.identity);
  try {
    const payload = await reading;
    const { payload: hash, sizeClass, commitment } = credential;
    const binding = bindingOf(statement, credential.name);
    return openPayload(payload, fileKey, { hash, sizeClass, commitment }, binding);
  } finally {
    wipe(fileKey);
  }
}
