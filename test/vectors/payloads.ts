import { concatBytes, hex, utf8 } from "../../src/crypto/bytes.ts";
import { sha256 } from "../../src/crypto/digest.ts";
import type { FailureCode } from "../../src/failure.ts";
import { commitmentOf, type Binding, type PayloadFacts } from "../../src/formats/payload.ts";
import { sampleBinding } from "../formats/samples.ts";
import { flipBit, replaceOnce } from "./breaking.ts";
import { chunksOf, fixedFileKey, fixedPayload, payloadOfTwoKeys } from "./sealing.ts";
import type { Vector } from "./vector-file.ts";

const fileKey = fixedFileKey("payload");
const otherKey = fixedFileKey("payload, the second");
const value = utf8("not so secret");

/** The plaintext of a credential in the spelling of docs/bundle-format.md §8.3. */
function plaintextOf(binding: Binding, base64: string, size: number): Uint8Array {
  const { cluster, bundle, credential, audience } = binding;
  const head = JSON.stringify({
    cluster,
    bundle,
    credential,
    audience,
    value: base64,
    padding: "",
  });
  return utf8(`${head.slice(0, -2)}${"0".repeat(size - head.length)}"}`);
}

const base64 = Buffer.from(value).toString("base64");
const plaintext = plaintextOf(sampleBinding, base64, 1024);
const payload = fixedPayload(fileKey, chunksOf(plaintext));
const large = plaintextOf(sampleBinding, base64, 128 * 1024);

interface Expected {
  readonly facts?: Partial<PayloadFacts>;
  readonly binding?: Partial<Binding>;
  readonly fileKey?: Uint8Array;
}

function vector(
  name: string,
  expect: FailureCode | "success",
  comment: string,
  bytes: Uint8Array,
  { facts, binding, fileKey: given = fileKey }: Expected = {},
): Vector {
  const named = {
    hash: hex(sha256(bytes)),
    sizeClass: 1024,
    commitment: commitmentOf(fileKey),
    ...facts,
  };
  const fields = {
    "file key": hex(given),
    hash: named.hash,
    "size class": String(named.sizeClass),
    commitment: named.commitment,
    binding: JSON.stringify({ ...sampleBinding, ...binding }),
    value: hex(value),
  };
  return { object: "payload", name, expect, comment, fields, bytes };
}

const malformed = "payload/malformed";
const altered = "payload/altered";
const mismatch = "payload/mismatch";

/** Another plaintext of the same size, sealed as it should be. */
const sealed = (bytes: Uint8Array): Uint8Array => fixedPayload(fileKey, chunksOf(bytes));
const spelled = (name: string, comment: string, from: string, to: string): Vector => {
  // What is added is taken from the padding, so that the size class stays true.
  const longer = to.length - from.length;
  const padded =
    longer > 0
      ? replaceOnce(plaintext, `${"0".repeat(longer)}"}`, '"}')
      : replaceOnce(plaintext, '"}', `${"0".repeat(-longer)}"}`);
  return vector(name, malformed, comment, sealed(replaceOnce(padded, from, to)));
};
const otherwiseBound = (name: string, comment: string, binding: Partial<Binding>): Vector =>
  vector(name, mismatch, comment, payload, { binding });
const largeFacts = { facts: { sizeClass: 128 * 1024 } };

/** The vectors of payloads. */
export const payloadVectors: readonly Vector[] = [
  vector("valid", "success", "as it should be", payload),
  otherwiseBound("other-bundle", "another name's payload under an own statement", {
    bundle: "billing/api",
  }),
  otherwiseBound("other-credential", "another credential's payload", { credential: "password" }),
  otherwiseBound("other-cluster", "another cluster's payload", { cluster: "f".repeat(32) }),
  otherwiseBound("wider-audience", "a pool added to the audience", {
    audience: ["edge", "main", "public"],
  }),
  otherwiseBound("narrower-audience", "a pool taken from the audience", { audience: ["main"] }),
  otherwiseBound("other-audience", "another pool", { audience: ["edge", "other"] }),
  vector("hash", "payload/hash", "another payload than the statement names", payload, {
    facts: { hash: hex(sha256(utf8("another payload"))) },
  }),
  vector(
    "commitment",
    "payload/commitment",
    "another file key than the one committed to",
    payload,
    {
      facts: { commitment: commitmentOf(otherKey) },
    },
  ),
  vector(
    "two-keys",
    "payload/commitment",
    "a payload that decrypts under two file keys, opened with the one that isn't committed to",
    payloadOfTwoKeys(payload.subarray(16, -16), fileKey, otherKey),
    { fileKey: otherKey },
  ),
  vector(
    "other-key",
    altered,
    "encrypted under another file key than the one committed to",
    fixedPayload(otherKey, chunksOf(plaintext)),
  ),
  vector("flipped-tag", altered, "a bit of the tag", flipBit(payload, payload.length * 8 - 1)),
  vector("flipped-nonce", altered, "a bit of the nonce", flipBit(payload, 0)),
  vector("flipped-chunk", altered, "a bit of the ciphertext", flipBit(payload, 20 * 8)),
  vector("cut-short", altered, "the last byte cut off", payload.slice(0, -1)),
  vector("cut-to-nonce", altered, "a nonce alone", payload.slice(0, 16)),
  vector("cut-nonce", altered, "15 bytes of the nonce", payload.slice(0, 15)),
  vector("empty", altered, "no bytes at all", new Uint8Array(0)),
  vector("trailing-bytes", altered, "bytes after the end", concatBytes(payload, utf8("x"))),
  vector(
    "not-last",
    altered,
    "no chunk is marked the last",
    fixedPayload(fileKey, [{ plaintext, number: 0, last: false }]),
  ),
  vector(
    "number-1",
    altered,
    "chunks counted from 1",
    fixedPayload(fileKey, [{ plaintext, number: 1, last: true }]),
  ),
  vector(
    "short-chunk",
    altered,
    "a chunk of 512 bytes before the last",
    fixedPayload(fileKey, [
      { plaintext: plaintext.subarray(0, 512), number: 0, last: false },
      { plaintext: plaintext.subarray(512), number: 1, last: true },
    ]),
  ),
  vector(
    "empty-chunk",
    altered,
    "an empty chunk after the last full one",
    fixedPayload(fileKey, [
      { plaintext: plaintextOf(sampleBinding, base64, 64 * 1024), number: 0, last: false },
      { plaintext: new Uint8Array(0), number: 1, last: true },
    ]),
    { facts: { sizeClass: 64 * 1024 } },
  ),
  vector(
    "chunks-swapped",
    altered,
    "the two chunks in the other order",
    fixedPayload(fileKey, chunksOf(large).toReversed()),
    largeFacts,
  ),
  vector("size-class", malformed, "the statement names twice the size", payload, {
    facts: { sizeClass: 2048 },
  }),
  vector("size-class-half", malformed, "the statement names half the size", payload, {
    facts: { sizeClass: 512 },
  }),
  vector("no-plaintext", malformed, "nothing sealed", sealed(new Uint8Array(0)), {
    facts: { sizeClass: 0 },
  }),
  vector("not-a-credential", malformed, "1024 zeros sealed", sealed(new Uint8Array(1024))),
  spelled("padding-digit", "a 1 in the padding", '000"}', '001"}'),
  spelled("padding-blank", "a blank in the padding", '"padding":"00', '"padding":"0 '),
  spelled("padding-quote", "the padding ends early", '"padding":"00', '"padding":"0"'),
  spelled("no-end", "no closing brace", '0"}', '0"0'),
  spelled("newline", "a newline after the end", '0"}', '"}\n'),
  spelled("blank", "a blank after a colon", '"bundle":"', '"bundle": "'),
  spelled("blank-before-value", "a blank before the value's field", ',"value"', ', "value"'),
  spelled(
    "value-unpadded",
    "a value without its padding",
    `${base64}"`,
    `${base64.replace(/=+$/u, "")}"`,
  ),
  spelled(
    "value-not-canonical",
    "bits in the value that no byte uses",
    `${base64}"`,
    `${base64.replace(/.==$/u, "R==")}"`,
  ),
  spelled(
    "value-url",
    "a letter of the URL alphabet",
    `"${base64.slice(0, 4)}`,
    `"${base64.slice(0, 3)}-`,
  ),
  spelled(
    "value-blank",
    "a blank in the value",
    `"${base64.slice(0, 4)}`,
    `"${base64.slice(0, 2)} ${base64.slice(3, 4)}`,
  ),
  spelled(
    "value-escape",
    "a letter of the value as an escape",
    `"value":"${base64.slice(0, 1)}`,
    `"value":"\\u00${base64.charCodeAt(0).toString(16)}`,
  ),
  spelled("no-value", "no value", `"value":"${base64}",`, ""),
  spelled(
    "two-values",
    "the value twice",
    `"value":"${base64}",`,
    `"value":"${base64}","value":"${base64}",`,
  ),
  spelled("unknown-field", "a field that no version has", ',"value"', ',"type":"x","value"'),
  spelled(
    "fields-out-of-order",
    "the credential before the bundle",
    '"bundle":"dns/resolver","credential":"token"',
    '"credential":"token","bundle":"dns/resolver"',
  ),
  spelled("escape", "a letter of the bundle as an escape", '"dns/', '"\\u0064ns/'),
  spelled("bundle-bad-name", "a bundle that is no name", '"dns/resolver"', '"dns/../other"'),
  spelled("audience-text", "a pool's name for a list", '["edge","main"]', '"edge,main"'),
];
