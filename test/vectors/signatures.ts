import { concatBytes, fromHex, hex, textOf, utf8 } from "../../src/crypto/bytes.ts";
import type { FailureCode } from "../../src/failure.ts";
import { wireString } from "../../src/formats/sshsig/wire.ts";
import { testSigner } from "../formats/samples.ts";
import {
  armouredSignature,
  keyBlob,
  signatureBlob,
  type SignatureParts,
  type TestSigner,
} from "../formats/sshsig-maker.ts";
import type { Vector } from "./vector-file.ts";

const message = utf8("any bytes: a signature doesn't look into what is signed");
const plain = testSigner("alice");
const securityKey = testSigner("security key", "ssh:");
const namespace = "bundle@sealaunch";
const armoured = armouredSignature(plain, message, namespace);
const text = textOf(armoured) ?? "";
const blob = signatureBlob(plain, message, namespace);

function vector(
  name: string,
  expect: FailureCode | "success",
  comment: string,
  bytes: Uint8Array,
): Vector {
  const fields = { signed: "bundle", message: hex(message) };
  return { object: "signature", name, expect, comment, fields, bytes };
}

const made = (
  name: string,
  expect: FailureCode | "success",
  comment: string,
  wrong: Partial<SignatureParts>,
  by: TestSigner = plain,
): Vector => vector(name, expect, comment, armouredSignature(by, message, namespace, wrong));

const armour = (name: string, comment: string, change: string): Vector =>
  vector(`armour-${name}`, "signature/malformed", comment, utf8(change));

const [begin = "", ...rest] = text.trimEnd().split("\n");
const end = rest.pop() ?? "";
const base64 = rest.join("");
const inColumns = (columns: number): string =>
  `${[begin, ...(base64.match(new RegExp(`.{1,${String(columns)}}`, "gu")) ?? []), end].join("\n")}\n`;

const armours: readonly Vector[] = [
  armour("crlf", "lines end in CRLF", text.replaceAll("\n", "\r\n")),
  armour(
    "crlf-inside",
    "lines end in CRLF after the first",
    text.replace(/(?<!URE-----)\n/gu, "\r\n"),
  ),
  armour("64-columns", "lines of 64 columns", inColumns(64)),
  armour("76-columns", "lines of 76 columns", inColumns(76)),
  armour("one-line", "all in one line", inColumns(10_000)),
  armour("blank-at-end", "a blank at a line's end", text.replace(/\n(?=-----END)/u, " \n")),
  armour("blank-at-beginning", "a blank at a line's beginning", text.replace("\nU1NI", "\n U1NI")),
  armour("tab", "a tab inside a line", text.replace("U1NI", "U1\tNI")),
  armour("empty-line", "an empty line after the first", text.replace("\nU1NI", "\n\nU1NI")),
  armour(
    "empty-line-end",
    "an empty line before the last",
    text.replace("\n-----END", "\n\n-----END"),
  ),
  armour("no-final-newline", "no final newline", text.slice(0, -1)),
  armour("trailing-text", "text after the end", `${text}text\n`),
  armour("trailing-newline", "an empty line after the end", `${text}\n`),
  armour("twice", "two signatures", text + text),
  armour("leading-text", "text in front", `text\n${text}`),
  armour("bom", "a byte order mark", `\ufeff${text}`),
  armour("no-begin", "no first line", text.slice(begin.length + 1)),
  armour("no-end", "no last line", text.slice(0, -end.length - 1)),
  armour(
    "other-label",
    "the label of an age file",
    text.replaceAll("SSH SIGNATURE", "AGE ENCRYPTED FILE"),
  ),
  armour("no-body", "nothing within", `${begin}\n${end}\n`),
  armour(
    "too-large",
    "a signature of more than 4096 bytes",
    `${begin}\n${`${"A".repeat(70)}\n`.repeat(60)}${end}\n`,
  ),
  armour("empty", "no bytes at all", ""),
  vector("binary", "signature/malformed", "without armour", blob),
];

/** Adds the group's order to S, which leaves what a signature means to a lax verifier. */
function malleate(signature: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const little = Buffer.from(signature.subarray(32)).reverse().toString("hex");
  const sum = (BigInt(`0x${little}`) + order).toString(16).padStart(64, "0");
  return concatBytes(signature.subarray(0, 32), fromHex(sum).reverse());
}

const neutral = concatBytes(Uint8Array.of(1), new Uint8Array(31));
const nothing = new Uint8Array(0);
const malformed = "signature/malformed";
const invalid = "signature/invalid";
const unsupported = "ssh-key/unsupported";
const { publicKey } = plain;
const keyOf = (type: string, ...parts: Uint8Array[]): Uint8Array =>
  concatBytes(wireString(type), ...parts.map(wireString));

/** The vectors of signatures. */
export const signatureVectors: readonly Vector[] = [
  made("valid", "success", "as it should be", {}),
  made("valid-sha256", "success", "by SHA-256", { hash: "sha256" }),
  made("valid-sk", "success", "by a security key", {}, securityKey),
  made("valid-sk-verified", "success", "by a security key, with PIN", { flags: 5 }, securityKey),
  ...armours,
  made("magic", malformed, "another preamble", { magic: "SSHSIH" }),
  made("version-0", malformed, "version 0", { version: 0 }),
  made("version-2", malformed, "version 2", { version: 2 }),
  made("reserved", malformed, "something in the reserved field", { reserved: "x" }),
  made("hash-sha1", malformed, "another hash", { hash: "sha1" }),
  made("hash-sha384", malformed, "another hash of the same family", { hash: "sha384" }),
  made("hash-upper-case", malformed, "the hash's name in upper case", { hash: "SHA512" }),
  made("hash-empty", malformed, "no hash's name", { hash: "" }),
  made("trailing-bytes", malformed, "bytes after the end", { tail: Uint8Array.of(0) }),
  made("inner-trailing", malformed, "bytes after Ed25519's", { innerTail: Uint8Array.of(0) }),
  made("inner-flags", malformed, "a plain key's signature with flags and counter", {
    innerTail: fromHex("0100000007"),
  }),
  made("inner-short", malformed, "63 bytes of Ed25519", { alter: (bytes) => bytes.subarray(1) }),
  made("inner-long", malformed, "65 bytes of Ed25519", {
    alter: (bytes) => concatBytes(bytes, Uint8Array.of(0)),
  }),
  made("inner-empty", malformed, "no bytes of Ed25519", { alter: () => nothing }),
  made("algorithm-sk", malformed, "a plain key, and a security key's algorithm", {
    algorithm: "sk-ssh-ed25519@openssh.com",
  }),
  made(
    "algorithm-plain",
    malformed,
    "a security key, and a plain key's algorithm",
    { algorithm: "ssh-ed25519" },
    securityKey,
  ),
  made("algorithm-rsa", malformed, "a plain key, and RSA's algorithm", {
    algorithm: "rsa-sha2-512",
  }),
  made("key-short", malformed, "a key of 31 bytes", { key: keyBlob(publicKey.subarray(1)) }),
  made("key-trailing", malformed, "bytes after the key", {
    key: concatBytes(keyBlob(publicKey), Uint8Array.of(0)),
  }),
  made("key-empty", malformed, "no key", { key: nothing }),
  made("key-sk-without-application", malformed, "a security key without application", {
    key: keyOf("sk-ssh-ed25519@openssh.com", publicKey),
  }),
  made("key-rsa", unsupported, "an RSA key", {
    key: keyOf("ssh-rsa", Uint8Array.of(1, 0, 1), publicKey),
  }),
  made("key-ecdsa", unsupported, "an ECDSA key", {
    key: keyOf("ecdsa-sha2-nistp256", utf8("nistp256"), publicKey),
  }),
  made("key-dsa", unsupported, "a DSA key", { key: keyOf("ssh-dss", publicKey) }),
  made("key-sk-ecdsa", unsupported, "a security key for ECDSA", {
    key: keyOf("sk-ecdsa-sha2-nistp256@openssh.com", utf8("nistp256"), publicKey, utf8("ssh:")),
  }),
  made("key-certificate", unsupported, "a certificate", {
    key: keyOf("ssh-ed25519-cert-v01@openssh.com", nothing, publicKey),
  }),
  made("namespace-roster", invalid, "the namespace of rosters", { namespace: "roster@sealaunch" }),
  made("namespace-git", invalid, "the namespace of git's commits", { namespace: "git" }),
  made("namespace-prefix", invalid, "a longer namespace", { namespace: `${namespace}2` }),
  made("namespace-nul", invalid, "a NUL after the namespace", { namespace: `${namespace}\0` }),
  made("namespace-empty", invalid, "no namespace", { namespace: "" }),
  vector(
    "message",
    invalid,
    "over other bytes",
    armouredSignature(plain, utf8("other"), namespace),
  ),
  made("other-key", invalid, "another's key in place of the signer's", {
    key: keyBlob(testSigner("bob").publicKey),
  }),
  made("flipped", invalid, "a bit of R", {
    alter: (bytes) => concatBytes(Uint8Array.of((bytes[0] ?? 0) ^ 1), bytes.subarray(1)),
  }),
  made("s-plus-order", invalid, "S and the group's order", { alter: malleate }),
  made("zero", invalid, "zeros for Ed25519", { alter: () => new Uint8Array(64) }),
  made("small-order", invalid, "the key and R of order one, S zero: it holds for every message", {
    key: keyBlob(neutral),
    alter: () => concatBytes(neutral, new Uint8Array(32)),
  }),
  made("sk-absent", invalid, "a security key that nobody touched", { flags: 0 }, securityKey),
  made("sk-verified-only", invalid, "a PIN and no touch", { flags: 4 }, securityKey),
  made("sk-flag-1", invalid, "a flag that we don't know", { flags: 3 }, securityKey),
  made("sk-flag-6", invalid, "attested data", { flags: 0x41 }, securityKey),
  made("sk-flag-7", invalid, "extension data", { flags: 0x81 }, securityKey),
  made(
    "sk-application",
    invalid,
    "another application in the key than was signed for",
    { key: keyBlob(securityKey.publicKey, "ssh:other") },
    securityKey,
  ),
  made(
    "sk-as-plain",
    malformed,
    "a security key's signature under its key as a plain one",
    { key: keyBlob(securityKey.publicKey) },
    securityKey,
  ),
  made(
    "sk-extensions",
    malformed,
    "bytes after the counter",
    { innerTail: Uint8Array.of(0) },
    securityKey,
  ),
];
