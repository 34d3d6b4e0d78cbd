/**
 * As much of the D-Bus wire format as asking systemd takes (D-Bus Specification, "Message Protocol"):
 * calls whose arguments are strings, and replies of any type.
 *
 * Written here because the packages that speak it bring an unmaintained tree of others into the one
 * process that has the identity, and since systemctl(1), which also speaks it, takes ten times as
 * long to start as PID 1 to answer (docs/decisions/0016).
 */

/** A value of a reply: numbers up to 2^53 are numbers, larger ones bigints; arrays, structs are arrays. */
export type Value = string | number | bigint | boolean | Uint8Array | readonly Value[];

/** A reply, or an error instead of one. */
export interface Reply {
  readonly serial: number;
  /** The error's name, such as `org.freedesktop.systemd1.NoSuchUnit`. */
  readonly error: string | undefined;
  readonly values: readonly Value[];
}

const methodCall = 1;
const methodReturn = 2;
const failed = 3;
const field = {
  path: 1,
  interface: 2,
  member: 3,
  error: 4,
  reply: 5,
  destination: 6,
  signature: 8,
};

/** Where a call goes. */
export interface Call {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly destination: string;
  readonly strings: readonly string[];
}

const pad = (size: number, to: number): number => (to - (size % to)) % to;

/** The bytes of a call, in little-endian order. */
export function encodeCall(call: Call, serial: number): Buffer {
  const body = Buffer.concat(alignStrings(call.strings));
  const head = Buffer.alloc(16);
  head.write("l", 0, "latin1");
  head[1] = methodCall;
  head[3] = 1;
  head.writeUInt32LE(body.length, 4);
  head.writeUInt32LE(serial, 8);
  const fields = encodeFields([
    [field.path, "o", call.path],
    [field.destination, "s", call.destination],
    [field.interface, "s", call.interface],
    [field.member, "s", call.member],
    [field.signature, "g", "s".repeat(call.strings.length)],
  ]);
  head.writeUInt32LE(fields.length, 12);
  return Buffer.concat([head, fields, Buffer.alloc(pad(fields.length, 8)), body]);
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  const size = Buffer.alloc(4);
  size.writeUInt32LE(bytes.length);
  return Buffer.concat([size, bytes, Buffer.alloc(1)]);
}

function alignStrings(strings: readonly string[]): Buffer[] {
  const parts: Buffer[] = [];
  let size = 0;
  for (const text of strings) {
    const padded = Buffer.concat([Buffer.alloc(pad(size, 4)), encodeString(text)]);
    parts.push(padded);
    size += padded.length;
  }
  return parts;
}

/** An array of structs of a code and a variant, each struct at a multiple of 8. */
function encodeFields(fields: readonly (readonly [number, string, string])[]): Buffer {
  let all = Buffer.alloc(0);
  for (const [code, type, text] of fields) {
    const start = Buffer.from([code, 1, type.charCodeAt(0), 0]);
    const value =
      type === "g" ? Buffer.from([text.length, ...Buffer.from(text), 0]) : encodeString(text);
    all = Buffer.concat([all, Buffer.alloc(pad(all.length, 8)), start, value]);
  }
  return all;
}

/** How long a message is, once its first 16 bytes are there. */
export function messageSize(head: Buffer): number {
  const fields = head.readUInt32LE(12);
  return 16 + fields + pad(fields, 8) + head.readUInt32LE(4);
}

/**
 * The reply that a whole message is; undefined for a signal or a call.
 *
 * @throws RangeError, TypeError if it isn't a message in little-endian order
 */
export function decodeReply(message: Buffer): Reply | undefined {
  if (message[0] !== 0x6c) throw new TypeError("not a little-endian message");
  const type = message[1];
  if (type !== methodReturn && type !== failed) return undefined;
  const reader = new Reader(message, 12);
  const fields = new Map(
    (reader.read("a(yv)") as readonly (readonly [number, Value])[]).map(([code, value]) => [
      code,
      value,
    ]),
  );
  reader.align(8);
  const signature = fields.get(field.signature);
  const values = typeof signature === "string" ? reader.readAll(signature) : [];
  const error = type === failed ? fields.get(field.error) : undefined;
  return {
    serial: Number(fields.get(field.reply)),
    error: type === failed ? String(error) : undefined,
    values,
  };
}

const alignment: Readonly<Record<string, number>> = {
  y: 1, g: 1, v: 1, n: 2, q: 2, b: 4, i: 4, u: 4, s: 4, o: 4, a: 4, h: 4, x: 8, t: 8, d: 8, "(": 8, "{": 8,
}; // prettier-ignore

class Reader {
  private readonly bytes: Buffer;
  private at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  align(to: number): void {
    this.at += pad(this.at, to);
  }

  readAll(signature: string): Value[] {
    return completeTypes(signature).map((type) => this.read(type));
  }

  read(type: string): Value {
    const [kind = ""] = type;
    this.align(alignment[kind] ?? 1);
    switch (kind) {
      case "y":
        return this.bytes.readUInt8(this.skip(1));
      case "b":
        return this.bytes.readUInt32LE(this.skip(4)) === 1;
      case "n":
        return this.bytes.readInt16LE(this.skip(2));
      case "q":
        return this.bytes.readUInt16LE(this.skip(2));
      case "i":
        return this.bytes.readInt32LE(this.skip(4));
      case "u":
      case "h":
        return this.bytes.readUInt32LE(this.skip(4));
      case "x":
        return exact(this.bytes.readBigInt64LE(this.skip(8)));
      case "t":
        return exact(this.bytes.readBigUInt64LE(this.skip(8)));
      case "d":
        return this.bytes.readDoubleLE(this.skip(8));
      case "s":
      case "o":
        return this.text(this.bytes.readUInt32LE(this.skip(4)));
      case "g":
        return this.text(this.bytes.readUInt8(this.skip(1)));
      case "v":
        return this.read(this.text(this.bytes.readUInt8(this.skip(1))));
      case "a":
        return this.array(type.slice(1));
      case "(":
      case "{":
        return this.readAll(type.slice(1, -1));
      default:
        throw new TypeError(`type ${type}`);
    }
  }

  private array(item: string): Value {
    const size = this.bytes.readUInt32LE(this.skip(4));
    this.align(alignment[item[0] ?? ""] ?? 1);
    const end = this.at + size;
    if (item === "y") return new Uint8Array(this.bytes.subarray(this.skip(size), end));
    const values: Value[] = [];
    while (this.at < end) values.push(this.read(item));
    return values;
  }

  private text(size: number): string {
    const from = this.skip(size + 1);
    return this.bytes.toString("utf8", from, from + size);
  }

  private skip(size: number): number {
    const from = this.at;
    this.at += size;
    if (this.at > this.bytes.length) throw new RangeError("message ends early");
    return from;
  }
}

const exact = (value: bigint): number | bigint =>
  value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;

/** A signature's single complete types: `a(sas)u` is `a(sas)` and `u`. */
function completeTypes(signature: string): string[] {
  const types: string[] = [];
  for (let from = 0; from < signature.length;) {
    let end = from;
    while (signature[end] === "a") end++;
    let depth = 0;
    do {
      if ("({".includes(signature[end] ?? "")) depth++;
      else if (")}".includes(signature[end] ?? "")) depth--;
      end++;
    } while (depth > 0 && end < signature.length);
    types.push(signature.slice(from, end));
    from = end;
  }
  return types;
}
