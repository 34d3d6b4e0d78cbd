import { hex, utf8 } from "../crypto/bytes.ts";
import { sha256 } from "../crypto/digest.ts";

/** The credential that the wrapper compares the others with. */
export const manifestName = "sealaunch";

/**
 * What must have arrived before anything runs: the guarded commands' arguments and every credential,
 * by SHA-256 (docs/units.md, The manifest). It holds no secret; a hash of a short one would be as
 * good as the value to somebody who may guess, so it is given to the unit alone, like the rest.
 */
export function encodeManifest(
  argumentHashes: readonly string[],
  credentials: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  const lines = [
    "sealaunch-manifest-1",
    ...argumentHashes.map((hash) => `arguments ${hash}`),
    ...[...credentials].map(([name, value]) => `${hex(sha256(value))}  ${name}`),
  ];
  return utf8(lines.map((line) => `${line}\n`).join(""));
}
