import { Failure } from "../failure.ts";
import { fingerprint, type SignerKey } from "../formats/sshsig/public-key.ts";
import { parseSignature, verifySignature, type SignedType } from "../formats/sshsig/signature.ts";

/** An object's bytes as they stood, and the armoured signatures beside them, none judged yet. */
export interface SignedBytes {
  readonly bytes: Uint8Array;
  readonly signatures: readonly Uint8Array[];
}

/** Who signed, as far as signatures verify, and why the others don't. */
export interface Signers {
  /** Without doubles: a second signature by one key counts for nothing. */
  readonly signers: readonly SignerKey[];
  /** The armoured signature of each. */
  readonly armoured: ReadonlyMap<SignerKey, Uint8Array>;
  readonly failure: Failure | undefined;
}

/** The keys whose signatures over `signed` verify. Whether they may sign is another question. */
export function signersOf(signed: SignedBytes, type: SignedType): Signers {
  const good = new Map<SignerKey, Uint8Array>();
  let failure: Failure | undefined;
  for (const armoured of signed.signatures) {
    try {
      good.set(verifySignature(parseSignature(armoured), signed.bytes, type), armoured);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failure ??= error;
    }
  }
  return { signers: [...good.keys()], armoured: good, failure };
}

/** Keys as a message lists them: fingerprints, or what stands for none. */
export function listKeys(keys: readonly SignerKey[]): string {
  return keys.length === 0 ? "nobody" : keys.map(fingerprint).join(", ");
}

/**
 * Returns if at least `threshold` of `allowed` have signed.
 *
 * A signature that doesn't verify counts as none: whoever can alter it could have removed it. It
 * is the reason that is given where signatures are missing.
 *
 * @throws Failure `signature/unknown-signer` if none of `allowed` has, `signature/threshold` if
 *   too few have, or why a signature doesn't verify
 */
export function requireSigners(
  { signers, failure }: Signers,
  allowed: readonly SignerKey[],
  threshold: number,
  what: string,
): void {
  const valid = signers.filter((signer) => allowed.includes(signer));
  if (valid.length >= threshold) return;
  if (failure !== undefined) {
    throw new Failure(failure.code, `${what}: ${failure.message}`, failure.hint);
  }
  if (valid.length === 0) {
    throw new Failure(
      "signature/unknown-signer",
      `${what} is signed by ${listKeys(signers)}, and by none of ${listKeys(allowed)}`,
    );
  }
  throw new Failure(
    "signature/threshold",
    `${what} is signed by ${String(valid.length)} of the ${String(threshold)} keys that it needs`,
  );
}
