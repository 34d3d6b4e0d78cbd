import { hex } from "../../crypto/bytes.ts";
import { sha256 } from "../../crypto/digest.ts";
import { Failure } from "../../failure.ts";
import { maxHeaderSize, parseDetachedHeader } from "../../formats/age/profile.ts";
import { headerPath, payloadPath } from "../../formats/paths.ts";
import { maxPayloadSize } from "../../formats/payload.ts";
import type { StatementCredential } from "../../formats/records/statement.ts";
import type { MirrorPass } from "../../sources/mirror-writing.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import type { PoolEpoch } from "../bundles.ts";
import { requireStatement, type Cluster } from "../cluster.ts";
import { mirrorAll, mirrorUnsigned } from "./objects.ts";
import { named } from "../named.ts";
import { describeCredential, describeHeader, readPayload } from "../payloads.ts";

/**
 * Brings a bundle's newest statement into the mirror, with its payloads, and its headers for those epochs
 * that are of its audience. The payloads come first: nothing names what isn't there.
 *
 * @returns the pools of its audience
 * @throws Failure all that `readStatement` refuses; `bundle/absent`, `payload/absent`, `payload/hash`,
 *   `header/malformed`
 */
export async function mirrorBundle(
  pass: MirrorPass,
  cluster: Cluster,
  roster: VerifiedRoster,
  bundle: string,
  epochs: readonly PoolEpoch[],
): Promise<readonly string[]> {
  return mirrorAll(pass, cluster, async (seen) => {
    const statement = await requireStatement(seen, roster, bundle);
    const reach = epochs.filter(({ pool }) => statement.audience.includes(pool));
    // One that is for others is known, and nothing of it can be opened here.
    if (reach.length === 0) return statement.audience;
    for (const credential of statement.credentials) {
      await mirrorPayload(pass, cluster, bundle, credential);
      for (const { pool, epoch } of reach) {
        const path = headerPath(pool, epoch, bundle, credential.payload);
        await mirrorUnsigned(pass, cluster, path, maxHeaderSize + 1, (bytes) =>
          named(describeHeader(bundle, credential, { pool, epoch }), () =>
            parseDetachedHeader(bytes),
          ),
        );
      }
    }
    return statement.audience;
  });
}

/** A payload never changes: one that the mirror has, whole, isn't fetched again. */
async function mirrorPayload(
  pass: MirrorPass,
  { source }: Cluster,
  bundle: string,
  credential: StatementCredential,
): Promise<void> {
  const path = payloadPath(bundle, credential.payload);
  const held = await pass.mirror.read(path, maxPayloadSize).catch(() => undefined);
  if (held !== undefined && hex(sha256(held)) === credential.payload) {
    pass.keep(path);
    return;
  }
  const payload = await readPayload(source, bundle, credential);
  if (hex(sha256(payload)) !== credential.payload) {
    const what = describeCredential(bundle, credential);
    throw new Failure("payload/hash", `${what}: ${source.name} has other bytes at ${path}`);
  }
  await pass.put(path, payload);
}
