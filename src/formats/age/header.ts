import { decodeBase64, encodeBase64 } from "../../crypto/base64.ts";
import { concatBytes, equalBytes, textOf, utf8, wipe } from "../../crypto/bytes.ts";
import { hkdfSha256, hmacSha256 } from "../../crypto/digest.ts";
import { Failure } from "../../failure.ts";

/** One way to a file key: its type and arguments, and a body (age, "recipient stanza"). */
export interface Stanza {
  /** At least one; each of one or more printable ASCII characters without space. */
  readonly args: readonly string[];
  readonly body: Uint8Array;
}

/** The textual head of an age file, as it stood. */
export interface Header {
  readonly stanzas: readonly Stanza[];
  /** 32 bytes: HMAC over {@link macInput}. */
  readonly mac: Uint8Array;
  /** The header's own bytes up to and with `---`. */
  readonly macInput: Uint8Array;
  /** Bytes of the header, its last newline included. */
  readonly size: number;
}

/** Bytes of every file key. */
export const fileKeySize = 16;

const versionLine = "age-encryption.org/v1";
const bodyBytesPerLine = 48;
const newline = 0x0a;

function malformed(what: string): Failure {
  return new Failure("header/malformed", `age header: ${what}`);
}

/**
 * The header at the beginning of `bytes`; what follows it is not looked at.
 *
 * Any number of stanzas of any type: which of them count is the caller's. Strict: LF, canonical
 * unpadded base64, lines of 64 columns (the age specification, "Header").
 *
 * @throws Failure `header/malformed`
 */
export function parseHeader(bytes: Uint8Array): Header {
  let offset = 0;
  const nextLine = (): string => {
    const end = bytes.indexOf(newline, offset);
    if (end < 0) throw malformed("it ends within a line");
    const line = textOf(bytes.subarray(offset, end)) ?? "";
    if (!/^[\x20-\x7e]+$/u.test(line) && end > offset) throw malformed("a character is not ASCII");
    offset = end + 1;
    return line;
  };

  if (nextLine() !== versionLine) throw malformed(`the first line is not ${versionLine}`);
  const stanzas: Stanza[] = [];
  for (;;) {
    const start = offset;
    const line = nextLine();
    if (line.startsWith("---")) {
      const mac = /^--- (.{43})$/u.exec(line)?.[1];
      const decoded = mac === undefined ? undefined : decodeBase64(utf8(mac), false);
      if (decoded === undefined) throw malformed("its MAC is not 32 bytes of base64");
      if (stanzas.length === 0) throw malformed("it has no stanza");
      return { stanzas, mac: decoded, macInput: bytes.slice(0, start + 3), size: offset };
    }
    stanzas.push({ args: parseArguments(line), body: parseBody(nextLine) });
  }
}

function parseArguments(line: string): string[] {
  const [arrow, ...args] = line.split(" ");
  if (arrow !== "->") throw malformed("a stanza doesn't begin with '-> '");
  if (args.length === 0 || args.includes("")) throw malformed("a stanza has an empty argument");
  return args;
}

function parseBody(nextLine: () => string): Uint8Array {
  const lines: Uint8Array[] = [];
  for (;;) {
    const line = decodeBase64(utf8(nextLine()), false);
    if (line === undefined) throw malformed("a stanza's body is not canonical base64");
    if (line.length > bodyBytesPerLine) throw malformed("a stanza's body has a long line");
    lines.push(line);
    // Not by arguments: a long body would have more of them than a call can take.
    if (line.length < bodyBytesPerLine) return new Uint8Array(Buffer.concat(lines));
  }
}

/** The bytes of a header with `stanzas`, authenticated under `fileKey` (16 bytes). */
export function encodeHeader(stanzas: readonly Stanza[], fileKey: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [utf8(`${versionLine}\n`)];
  for (const stanza of stanzas) {
    parts.push(utf8(`-> ${stanza.args.join(" ")}\n`));
    // A body always ends in a short line, so that one of whole lines has an empty last one.
    for (let from = 0; from <= stanza.body.length; from += bodyBytesPerLine) {
      const line = stanza.body.subarray(from, from + bodyBytesPerLine);
      parts.push(encodeBase64(line, false), utf8("\n"));
    }
  }
  const macInput = concatBytes(...parts, utf8("---"));
  return concatBytes(
    macInput,
    utf8(" "),
    encodeBase64(headerMac(macInput, fileKey), false),
    utf8("\n"),
  );
}

function headerMac(macInput: Uint8Array, fileKey: Uint8Array): Uint8Array {
  const secret = hkdfSha256(fileKey, new Uint8Array(0), utf8("header"), 32);
  const mac = hmacSha256(secret, macInput);
  wipe(secret);
  return mac;
}

/**
 * The 16-byte file key of `header`, which authenticates it. The caller wipes it.
 *
 * @param unwrap - the file key in one stanza, or undefined if that stanza is not for us
 * @throws Failure `header/no-match` if no stanza opens: another identity's and an altered one
 *   can't be told apart; `header/altered` if the MAC is another
 */
export function openHeader(
  header: Header,
  unwrap: (stanza: Stanza) => Uint8Array | undefined,
): Uint8Array {
  for (const stanza of header.stanzas) {
    const fileKey = unwrap(stanza);
    if (fileKey === undefined) continue;
    if (equalBytes(headerMac(header.macInput, fileKey), header.mac)) return fileKey;
    wipe(fileKey);
    throw new Failure("header/altered", "age header: its MAC doesn't match its text");
  }
  throw new Failure("header/no-match", "age header: no stanza opens with this identity");
}
