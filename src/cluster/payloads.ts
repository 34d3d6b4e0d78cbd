import { Failure } from "../failure.ts";
import type { Header } from "../formats/age/header.ts";
import { maxHeaderSize, parseDetachedHeader } from "../formats/age/profile.ts";
import { headerPath, payloadPath } from "../formats/paths.ts";
import { maxPayloadSize } from "../formats/payload.ts";
import type { StatementCredential } from "../formats/records/statement.ts";
import type { Source } from "../sources/source.ts";
import { named } from "./named.ts";

/** Names a credential in messages. */
export function describeCredential(bundle: string, { name }: StatementCredential): string {
  return `credential ${name} of ${bundle}`;
}

/** Names a header of a credential in messages. */
export function describeHeader(
  bundle: string,
  credential: StatementCredential,
  { pool, epoch }: Reach,
): string {
  return `header of ${describeCredential(bundle, credential)} for ${pool} epoch ${String(epoch)}`;
}

/**
 * The sealed bytes of a credential, not judged.
 *
 * @throws Failure `payload/absent`; `source/hostile`, `source/unreadable`
 */
export async function readPayload(
  source: Source,
  bundle: string,
  credential: StatementCredential,
): Promise<Uint8Array> {
  const path = payloadPath(bundle, credential.payload);
  const bytes = await source.read(path, maxPayloadSize);
  if (bytes !== undefined) return bytes;
  throw new Failure(
    "payload/absent",
    `${describeCredential(bundle, credential)}: ${source.name} has no ${path}`,
  );
}

/** An epoch of a pool for which somebody has an entry. */
export interface Reach {
  readonly pool: string;
  readonly epoch: number;
}

/**
 * The first header of a credential that is there, well-formed, and of which epoch it is.
 *
 * @param reaches - the epochs for which one would do, the best first
 * @throws Failure `header/absent` if there is none, `header/malformed`
 */
export async function readHeaderFor<T extends Reach>(
  source: Source,
  bundle: string,
  credential: StatementCredential,
  reaches: readonly T[],
): Promise<{ readonly header: Header; readonly reach: T }> {
  for (const reach of reaches) {
    const path = headerPath(reach.pool, reach.epoch, bundle, credential.payload);
    const bytes = await source.read(path, maxHeaderSize + 1);
    if (bytes === undefined) continue;
    const what = describeHeader(bundle, credential, reach);
    return { header: named(what, () => parseDetachedHeader(bytes)), reach };
  }
  const tried = reaches.map(({ pool, epoch }) => `${pool} epoch ${String(epoch)}`).join(", ");
  const what = describeCredential(bundle, credential);
  throw new Failure("header/absent", `${what}: no header for ${tried}`);
}
