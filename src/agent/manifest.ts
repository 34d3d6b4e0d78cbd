import { hex, utf8 } from "../crypto/bytes.ts";
import { sha256 } from "../crypto/digest.ts";

/**
 * What must have arrived before anything runs: the guarded commands, up to their programs, and every
 * credential by SHA-256 (docs/units.md, The manifest). Its last line says that it is whole. A hash of a
 * short value would be as good as the value to somebody who may guess, so it is the unit's alone, like
 * the rest.
 */
export function encodeManifest(
  commands: readonly string[],
  credentials: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  const lines = [
    "sealaunch-manifest-1",
    ...commands.map((command) => `command ${command}`),
    ...[...credentials].map(([name, value]) => `${hex(sha256(value))}  ${name}`),
    "end",
  ];
  return utf8(lines.map((line) => `${line}\n`).join(""));
}
