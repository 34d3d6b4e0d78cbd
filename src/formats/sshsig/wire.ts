import { concatBytes, utf8 } from "../../crypto/bytes.ts";

// The data types of SSH (RFC 4251 §5): 32-bit numbers, big endian, and strings behind one.

/** A string: its length in 4 bytes, then its bytes. */
export function wireString(value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === "string" ? utf8(value) : value;
  return concatBytes(wireNumber(bytes.length), bytes);
}

/** A number below 2^32 in 4 bytes. */
export function wireNumber(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Reads SSH data from front to back. Reading past the end gives undefined, and then always. */
export interface WireReader {
  string(): Uint8Array | undefined;
  number(): number | undefined;
  bytes(length: number): Uint8Array | undefined;
  /** Whether everything was read, and nothing beyond. */
  atEnd(): boolean;
}

/** A reader over `data`; what it gives are copies. */
export function readWire(data: Uint8Array): WireReader {
  let offset = 0;
  const take = (length: number): Uint8Array | undefined => {
    if (offset + length > data.length) {
      offset = Infinity;
      return undefined;
    }
    offset += length;
    return data.slice(offset - length, offset);
  };
  const number = (): number | undefined => {
    const bytes = take(4);
    return bytes === undefined ? undefined : new DataView(bytes.buffer).getUint32(0);
  };
  return {
    bytes: take,
    number,
    string: () => {
      const length = number();
      return length === undefined ? undefined : take(length);
    },
    atEnd: () => offset === data.length,
  };
}
