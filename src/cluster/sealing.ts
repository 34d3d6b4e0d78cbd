import { wipe } from "../crypto/bytes.ts";
import { sealHeader } from "../formats/age/profile.ts";
import { formatTime } from "../formats/fields.ts";
import { headerPath, payloadPath } from "../formats/paths.ts";
import { sealPayload } from "../formats/payload.ts";
import type { Statement, StatementCredential } from "../formats/records/statement.ts";
import type { SignerKey } from "../formats/sshsig/public-key.ts";
import type { VerifiedPool } from "../trust/pool.ts";

/** A credential's public facts, and the objects that have to be in a source before its statement. */
export interface SealedCredential {
  readonly credential: StatementCredential;
  /** Payload and headers by path. */
  readonly objects: ReadonlyMap<string, Uint8Array>;
}

/** What the credentials of one command have in common. */
export interface SealingContext {
  readonly cluster: string;
  readonly bundle: string;
  /** The pools of the audience, as their managers signed them. */
  readonly pools: readonly VerifiedPool[];
  readonly sealedBy: SignerKey;
  readonly now: Date;
}

/**
 * `value` sealed for the current epoch of every pool of the audience. The file key is forgotten.
 *
 * @throws Failure `credential/too-large`, `recipient/malformed`
 */
export function sealCredential(
  { cluster, bundle, pools, sealedBy, now }: SealingContext,
  name: string,
  value: Uint8Array,
): SealedCredential {
  const audience = pools.map(({ pool }) => pool);
  const payload = sealPayload({ cluster, bundle, credential: name, audience }, value);
  const objects = new Map([[payloadPath(bundle, payload.hash), payload.bytes]]);
  for (const { pool, current } of pools) {
    const header = sealHeader(payload.fileKey, current.recipient);
    objects.set(headerPath(pool, current.epoch, bundle, payload.hash), header);
  }
  wipe(payload.fileKey);
  return {
    objects,
    credential: {
      name,
      payload: payload.hash,
      sizeClass: payload.sizeClass,
      commitment: payload.commitment,
      sealed: formatTime(now),
      sealedBy,
      epochs: pools.map(({ pool, current }) => ({ pool, epoch: current.epoch })),
    },
  };
}

/** What of a statement its author chooses. */
export type StatementChoice = Pick<Statement, "audience" | "units" | "inPlace" | "expires">;

/** Whether two statements say the same of who may have what until when. */
export function sameChoice(a: StatementChoice, b: StatementChoice): boolean {
  const text = ({ audience, units, inPlace, expires }: StatementChoice): string =>
    JSON.stringify([audience, units, inPlace, expires]);
  return text(a) === text(b);
}

/** `names` in the order of records, without doubles. */
export function inOrder(names: Iterable<string>): string[] {
  return [...new Set(names)].sort();
}
