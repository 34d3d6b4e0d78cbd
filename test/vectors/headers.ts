import { concatBytes, hex, textOf, utf8 } from "../../src/crypto/bytes.ts";
import { encodeIdentity, type Identity } from "../../src/crypto/identity.ts";
import type { FailureCode } from "../../src/failure.ts";
import { encodeHeader, type Stanza } from "../../src/formats/age/header.ts";
import { testIdentity } from "../formats/samples.ts";
import { flipBit, replaceOnce } from "./breaking.ts";
import { chunksOf, fixedFileKey, fixedPayload, fixedStanza } from "./sealing.ts";
import type { Vector } from "./vector-file.ts";

/** Whom the vectors are for. */
export const node = testIdentity("node-1");
/** Somebody else. */
export const other = testIdentity("node-2");
/** What the valid header holds. */
export const fileKey = fixedFileKey("sealed");
/** An identity as its one line. */
export const line = (identity: Identity): string => textOf(encodeIdentity(identity)) ?? "";

/** The valid header's one stanza. */
export const stanza = fixedStanza(fileKey, node.recipient);
/** The valid header. */
export const header = encodeHeader([stanza], fileKey);
const text = textOf(header) ?? "";
const [type = "", share = ""] = stanza.args;
const shareBytes = new Uint8Array(Buffer.from(share, "base64"));
const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes).toString("base64").replace(/=+$/u, "");
/** A header of other stanzas, with the MAC that it needs. */
export const withStanzas = (...stanzas: Stanza[]): Uint8Array => encodeHeader(stanzas, fileKey);
const withShare = (bytes: Uint8Array): Uint8Array =>
  withStanzas({ ...stanza, args: [type, base64(bytes)] });
const grease: Stanza = { args: ["grease", "x"], body: new Uint8Array(5) };

const malformed = "header/malformed";
function headerVector(
  name: string,
  expect: FailureCode | "success",
  comment: string,
  bytes: Uint8Array,
  identity: Identity = node,
): Vector {
  const fields = { identity: line(identity), "file key": hex(fileKey) };
  return { object: "header", name, expect, comment, fields, bytes };
}

const lowOrder = shareBytes.slice().fill(0, 1088);
const bodyLine = text.split("\n")[2] ?? "";

/** The vectors of headers. */
export const headerVectors: readonly Vector[] = [
  headerVector("valid", "success", "as it should be", header),
  headerVector(
    "two-stanzas",
    malformed,
    "a stanza for somebody else too",
    withStanzas(stanza, fixedStanza(fileKey, other.recipient)),
  ),
  headerVector("same-stanza-twice", malformed, "the stanza twice", withStanzas(stanza, stanza)),
  headerVector(
    "grease-before",
    malformed,
    "an unknown stanza before it",
    withStanzas(grease, stanza),
  ),
  headerVector(
    "grease-after",
    malformed,
    "an unknown stanza after it",
    withStanzas(stanza, grease),
  ),
  headerVector("grease-alone", malformed, "an unknown stanza alone", withStanzas(grease)),
  headerVector(
    "scrypt",
    malformed,
    "a passphrase's stanza alone",
    withStanzas({ args: ["scrypt", "bBjlhJVYZeE4aqUdmtRHfw", "15"], body: new Uint8Array(32) }),
  ),
  headerVector(
    "x25519",
    malformed,
    "a classical stanza alone",
    withStanzas({ args: ["X25519", base64(shareBytes.subarray(0, 32))], body: stanza.body }),
  ),
  headerVector("no-stanza", malformed, "no stanza", withStanzas()),
  headerVector(
    "type-upper-case",
    malformed,
    "the type in upper case",
    withStanzas({ ...stanza, args: [type.toUpperCase(), share] }),
  ),
  headerVector(
    "extra-argument",
    malformed,
    "a second argument",
    withStanzas({ ...stanza, args: [type, share, "x"] }),
  ),
  headerVector("no-argument", malformed, "no argument", withStanzas({ ...stanza, args: [type] })),
  headerVector(
    "share-short",
    malformed,
    "a share of 1119 bytes",
    withShare(shareBytes.subarray(1)),
  ),
  headerVector(
    "share-long",
    malformed,
    "a share of 1121 bytes",
    withShare(concatBytes(shareBytes, Uint8Array.of(0))),
  ),
  headerVector(
    "share-padded",
    malformed,
    "a share with padding",
    withStanzas({ ...stanza, args: [type, `${share}=`] }),
  ),
  headerVector(
    "share-not-canonical",
    malformed,
    "bits in the share that no byte uses",
    withStanzas({
      ...stanza,
      args: [type, share.replace(/.$/u, (last) => String.fromCharCode(last.charCodeAt(0) + 1))],
    }),
  ),
  headerVector("share-low-order", malformed, "an X25519 share of low order", withShare(lowOrder)),
  headerVector(
    "share-mlkem",
    "header/no-match",
    "a bit of the share's ML-KEM half",
    withShare(flipBit(shareBytes, 77)),
  ),
  headerVector(
    "share-x25519",
    "header/no-match",
    "a bit of the share's X25519 half",
    withShare(flipBit(shareBytes, 1100 * 8)),
  ),
  headerVector(
    "body-tag",
    "header/no-match",
    "a bit of the wrapped file key",
    withStanzas({ ...stanza, body: flipBit(stanza.body, 3) }),
  ),
  headerVector(
    "body-short",
    malformed,
    "a file key of 15 bytes",
    withStanzas(fixedStanza(fileKey.subarray(1), node.recipient)),
  ),
  headerVector(
    "body-long",
    malformed,
    "a file key of 17 bytes",
    withStanzas(fixedStanza(concatBytes(fileKey, Uint8Array.of(0)), node.recipient)),
  ),
  headerVector(
    "body-empty",
    malformed,
    "no body",
    withStanzas({ ...stanza, body: new Uint8Array(0) }),
  ),
  headerVector(
    "body-not-canonical",
    malformed,
    "bits in the body that no byte uses",
    replaceOnce(
      header,
      bodyLine,
      bodyLine.replace(/.$/u, (last) => String.fromCharCode(last.charCodeAt(0) + 1)),
    ),
  ),
  headerVector(
    "body-wrapped",
    malformed,
    "the body in two lines",
    replaceOnce(header, bodyLine, `${bodyLine.slice(0, 20)}\n${bodyLine.slice(20)}`),
  ),
  headerVector(
    "mac-flipped",
    "header/altered",
    "a bit of the MAC",
    macWith((mac) => flipBit(mac, 0)),
  ),
  headerVector(
    "mac-short",
    malformed,
    "a MAC of 31 bytes",
    macWith((mac) => mac.subarray(1)),
  ),
  headerVector(
    "mac-other-key",
    "header/altered",
    "a MAC under another file key",
    encodeHeader([stanza], fixedFileKey("another")),
  ),
  headerVector(
    "mac-missing",
    malformed,
    "no MAC",
    utf8(text.slice(0, text.indexOf("---") + 3) + "\n"),
  ),
  headerVector("mac-blank", malformed, "a blank after the MAC", utf8(text.replace(/\n$/u, " \n"))),
  headerVector("version-2", malformed, "age's version 2", replaceOnce(header, "/v1", "/v2")),
  headerVector("crlf", malformed, "lines end in CRLF", utf8(text.replaceAll("\n", "\r\n"))),
  headerVector("no-final-newline", malformed, "no final newline", header.slice(0, -1)),
  headerVector(
    "trailing-newline",
    malformed,
    "an empty line after it",
    concatBytes(header, utf8("\n")),
  ),
  headerVector(
    "trailing-payload",
    malformed,
    "a payload after it",
    concatBytes(header, fixedPayload(fileKey, chunksOf(utf8("x")))),
  ),
  headerVector("bom", malformed, "a byte order mark", utf8(`\ufeff${text}`)),
  headerVector(
    "armour",
    malformed,
    "age's armour around it",
    utf8(
      `-----BEGIN AGE ENCRYPTED FILE-----\n${Buffer.from(header).toString("base64").replace(/.{64}/gu, "$&\n")}\n-----END AGE ENCRYPTED FILE-----\n`,
    ),
  ),
  headerVector(
    "too-large",
    malformed,
    "another stanza that takes it over 2048 bytes",
    withStanzas(stanza, { args: ["grease"], body: new Uint8Array(400) }),
  ),
  headerVector("empty", malformed, "no bytes at all", new Uint8Array(0)),
  headerVector("other-identity", "header/no-match", "for another identity", header, other),
];

/** The valid header with another MAC. */
export function macWith(change: (mac: Uint8Array) => Uint8Array): Uint8Array {
  const mac = text.slice(text.indexOf("--- ") + 4).trimEnd();
  return replaceOnce(header, mac, base64(change(new Uint8Array(Buffer.from(mac, "base64")))));
}
