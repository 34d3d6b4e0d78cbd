import { concatBytes, utf8 } from "../../src/crypto/bytes.ts";
import type { Identity } from "../../src/crypto/identity.ts";
import type { FailureCode } from "../../src/failure.ts";
import { testIdentity } from "../formats/samples.ts";
import { flipBit } from "./breaking.ts";
import { fileKey, header, line, macWith, node, other, stanza, withStanzas } from "./headers.ts";
import { chunksOf, fixedPayload, fixedStanza } from "./sealing.ts";
import type { Vector } from "./vector-file.ts";

const pool = testIdentity("pool main 2");
const malformed = "header/malformed";

function entryVector(
  name: string,
  expect: FailureCode | "success",
  comment: string,
  bytes: Uint8Array,
  identity: Identity = node,
): Vector {
  const fields = { identity: line(identity), recipient: pool.recipient };
  return { object: "entry", name, expect, comment, fields, bytes };
}

const sealed = (plaintext: string): Uint8Array =>
  concatBytes(header, fixedPayload(fileKey, chunksOf(utf8(plaintext))));
const entry = sealed(line(pool));
const [onlyChunk] = chunksOf(utf8(line(pool)));

/** The vectors of entries. */
export const entryVectors: readonly Vector[] = [
  entryVector("valid", "success", "as it should be", entry),
  entryVector("other-identity", "header/no-match", "for another identity", entry, other),
  entryVector(
    "other-pool",
    "entry/mismatch",
    "the identity of another pool",
    sealed(line(testIdentity("pool edge 1"))),
  ),
  entryVector("own-identity", "entry/mismatch", "the member's own identity", sealed(line(node))),
  entryVector(
    "newline",
    "identity/malformed",
    "a newline after the identity",
    sealed(`${line(pool)}\n`),
  ),
  entryVector(
    "blank",
    "identity/malformed",
    "a blank before the identity",
    sealed(` ${line(pool)}`),
  ),
  entryVector(
    "lower-case",
    "identity/malformed",
    "the identity in lower case",
    sealed(line(pool).toLowerCase()),
  ),
  entryVector(
    "checksum",
    "identity/malformed",
    "an identity with a wrong letter",
    sealed(line(pool).slice(0, -6) + "QQQQQQ"),
  ),
  entryVector(
    "two-identities",
    "identity/malformed",
    "two identities",
    sealed(`${line(pool)}\n${line(node)}`),
  ),
  entryVector(
    "recipient",
    "identity/malformed",
    "the pool's recipient for its identity",
    sealed(pool.recipient),
  ),
  entryVector(
    "x25519",
    "identity/malformed",
    "an X25519 identity as age's specification has it",
    sealed("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"),
  ),
  entryVector("empty-plaintext", "identity/malformed", "nothing sealed", sealed("")),
  entryVector("no-payload", "payload/altered", "a header alone", header),
  entryVector(
    "cut-nonce",
    "payload/altered",
    "15 bytes of the nonce",
    entry.slice(0, header.length + 15),
  ),
  entryVector("cut-chunk", "payload/altered", "the last byte cut off", entry.slice(0, -1)),
  entryVector(
    "flipped",
    "payload/altered",
    "a bit of the payload",
    flipBit(entry, entry.length * 8 - 1),
  ),
  entryVector(
    "trailing-bytes",
    "payload/altered",
    "bytes after the end",
    concatBytes(entry, utf8("\n")),
  ),
  entryVector(
    "not-last",
    "payload/altered",
    "no chunk is marked the last",
    concatBytes(
      header,
      fixedPayload(fileKey, [
        { plaintext: onlyChunk?.plaintext ?? utf8(""), number: 0, last: false },
      ]),
    ),
  ),
  entryVector("twice", "payload/altered", "the file twice", concatBytes(entry, entry)),
  entryVector(
    "mac",
    "header/altered",
    "a bit of the header's MAC",
    concatBytes(
      macWith((mac) => flipBit(mac, 9)),
      entry.subarray(header.length),
    ),
  ),
  entryVector(
    "two-stanzas",
    malformed,
    "an entry for two",
    concatBytes(
      withStanzas(stanza, fixedStanza(fileKey, other.recipient)),
      entry.subarray(header.length),
    ),
  ),
  entryVector(
    "armour",
    malformed,
    "age's armour around it",
    utf8(
      `-----BEGIN AGE ENCRYPTED FILE-----\n${Buffer.from(entry).toString("base64").replace(/.{64}/gu, "$&\n")}\n-----END AGE ENCRYPTED FILE-----\n`,
    ),
  ),
  entryVector("plaintext", malformed, "the identity in the clear", utf8(line(pool))),
  entryVector("empty", malformed, "no bytes at all", new Uint8Array(0)),
];
