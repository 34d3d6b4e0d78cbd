// Base64 (RFC 4648 §4) from bytes to bytes. The runtime's own codecs go through strings, which
// can't be wiped, and accept what isn't canonical; secrets travel through here.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const codes = Uint8Array.from(alphabet, (character) => character.charCodeAt(0));
const values = new Int8Array(256).fill(-1);
codes.forEach((code, value) => (values[code] = value));
const padding = 0x3d;

/** Base64 of `bytes` in ASCII, with `=` padding unless `padded` is false. */
export function encodeBase64(bytes: Uint8Array, padded = true): Uint8Array {
  const full = Math.ceil(bytes.length / 3) * 4;
  const out = new Uint8Array(full);
  for (let from = 0, to = 0; from < bytes.length; from += 3, to += 4) {
    const triple =
      ((bytes[from] ?? 0) << 16) | ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0);
    out[to] = codes[triple >> 18] ?? 0;
    out[to + 1] = codes[(triple >> 12) & 63] ?? 0;
    out[to + 2] = codes[(triple >> 6) & 63] ?? 0;
    out[to + 3] = codes[triple & 63] ?? 0;
  }
  const missing = (3 - (bytes.length % 3)) % 3;
  out.fill(padding, full - missing);
  return padded ? out : out.subarray(0, full - missing);
}

/**
 * The bytes that `text` encodes, or undefined unless it is exactly what {@link encodeBase64}
 * writes for them: no white space, padding as told, unused bits zero.
 */
export function decodeBase64(text: Uint8Array, padded = true): Uint8Array | undefined {
  let length = text.length;
  if (padded) {
    if (length % 4 !== 0) return undefined;
    if (length > 0 && text[length - 1] === padding) length -= text[length - 2] === padding ? 2 : 1;
  }
  const rest = length % 4;
  if (rest === 1) return undefined;
  const out = new Uint8Array((length >> 2) * 3 + (rest === 0 ? 0 : rest - 1));
  let bits = 0;
  for (let from = 0, to = 0; from < length; from++) {
    const value = values[text[from] ?? 0] ?? -1;
    if (value < 0) return undefined;
    bits = ((bits << 6) | value) & 0xffffff;
    if (from % 4 === 1) out[to++] = (bits >> 4) & 255;
    else if (from % 4 === 2) out[to++] = (bits >> 2) & 255;
    else if (from % 4 === 3) out[to++] = bits & 255;
  }
  if ((rest === 2 && (bits & 15) !== 0) || (rest === 3 && (bits & 3) !== 0)) return undefined;
  return out;
}
