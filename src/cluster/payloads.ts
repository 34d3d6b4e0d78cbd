import { Failure } from "../failure.ts";
import { payloadPath } from "../formats/paths.ts";
import { maxPayloadSize } from "../formats/payload.ts";
import type { StatementCredential } from "../formats/records/statement.ts";
import type { Source } from "../sources/source.ts";

/** Names a credential in messages. */
export function describeCredential(bundle: string, { name }: StatementCredential): string {
  return `credential ${name} of ${bundle}`;
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
