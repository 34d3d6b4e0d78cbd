import * as z from "zod/mini";
import { decodeBase64, encodeBase64 } from "../crypto/base64.ts";
import { concatBytes, equalBytes, hex, textOf, utf8, wipe } from "../crypto/bytes.ts";
import { hkdfSha256, sha256 } from "../crypto/digest.ts";
import { Failure } from "../failure.ts";
import { createFileKey } from "./age/profile.ts";
import { decryptPayload, encryptPayload, payloadSize } from "./age/stream.ts";
import { audienceField, clusterField, nameField } from "./fields.ts";

/** A credential's value is at most this many bytes: systemd's limit (systemd.exec(5)). */
export const maxValueSize = 1024 * 1024;

/** Sizes of a payload's plaintext in bytes; the smallest that fits is used, so that only the class is seen. */
export const sizeClasses: readonly number[] = Array.from(
  { length: 12 },
  (_, power) => 1024 << power,
);

/** A sealed payload is at most this many bytes: the largest class, its nonce and its tags. */
export const maxPayloadSize = (1024 << 11) + 16 + 16 * 33;

/** What a value is sealed for; it stands in the payload, under the encryption (§8.3). */
export interface Binding {
  readonly cluster: string;
  readonly bundle: string;
  readonly credential: string;
  /** Pools in rising order. */
  readonly audience: readonly string[];
}

/** A credential's sealed bytes and what a statement says of them. */
export interface SealedPayload {
  readonly bytes: Uint8Array;
  /** SHA-256 of `bytes` in hex; their name. */
  readonly hash: string;
  readonly sizeClass: number;
  /** 64 hex digits that commit to the file key. */
  readonly commitment: string;
  /** 16 secret bytes for the headers; the caller wipes them. */
  readonly fileKey: Uint8Array;
}

// The plaintext is JSON with these fields in this order, without white space. Value and padding
// stand last, and are written and read as bytes: a value is never a string of the runtime's.
const valueField = utf8(',"value":"');
const paddingField = utf8('","padding":"');
const end = utf8('"}');
const zero = 0x30;

// Names are checked here too: what they are is said in a message.
const BindingRecord = z.strictObject({
  cluster: clusterField,
  bundle: nameField("bundle"),
  credential: nameField("credential"),
  audience: audienceField,
});

function encodeBinding(binding: Binding): Uint8Array {
  const { cluster, bundle, credential, audience } = binding;
  return utf8(JSON.stringify({ cluster, bundle, credential, audience }).slice(0, -1));
}

/** HKDF-SHA-256 of a file key: what a statement says so that no second key opens the payload (§8.2). */
export function commitmentOf(fileKey: Uint8Array): string {
  return hex(hkdfSha256(fileKey, new Uint8Array(0), utf8("sealaunch v1 file key commitment"), 32));
}

/**
 * `value` sealed for `binding`, under a fresh file key.
 *
 * @param value - at most 1 MiB, any bytes; stays the caller's
 * @throws Failure `credential/too-large`
 */
export function sealPayload(binding: Binding, value: Uint8Array): SealedPayload {
  if (value.length > maxValueSize) {
    throw new Failure(
      "credential/too-large",
      `credential ${binding.credential} of ${binding.bundle} is over ${String(maxValueSize)} bytes`,
    );
  }
  const head = concatBytes(encodeBinding(binding), valueField, encodeBase64(value), paddingField);
  const needed = head.length + end.length;
  const sizeClass = sizeClasses.find((size) => size >= needed);
  if (sizeClass === undefined) throw new Error("internal: no size class is large enough");
  const plaintext = new Uint8Array(sizeClass).fill(zero);
  plaintext.set(head, 0);
  plaintext.set(end, sizeClass - end.length);
  const fileKey = createFileKey();
  const bytes = encryptPayload(fileKey, plaintext);
  wipe(head, plaintext);
  return { bytes, hash: hex(sha256(bytes)), sizeClass, commitment: commitmentOf(fileKey), fileKey };
}

/** What a statement says of a payload. */
export type PayloadFacts = Pick<SealedPayload, "hash" | "sizeClass" | "commitment">;

/**
 * The value in a payload, after everything that the statement says of it was found true. The
 * caller owns and wipes it.
 *
 * @param fileKey - 16 bytes, from a header
 * @throws Failure `payload/commitment` if it isn't the file key that the statement commits to
 *   (before the payload is touched); `payload/hash`, `payload/altered`, `payload/malformed`;
 *   `payload/mismatch` if it was sealed for something else than `binding`
 */
export function openPayload(
  bytes: Uint8Array,
  fileKey: Uint8Array,
  facts: PayloadFacts,
  binding: Binding,
): Uint8Array {
  const what = `credential ${binding.credential} of ${binding.bundle}`;
  if (commitmentOf(fileKey) !== facts.commitment) {
    throw new Failure(
      "payload/commitment",
      `${what}: its header gives another file key than its statement commits to`,
    );
  }
  checkPayloadHash(bytes, facts.hash, what);
  const plaintext = decryptPayload(fileKey, bytes);
  try {
    return parsePlaintext(plaintext, facts.sizeClass, binding, what);
  } finally {
    wipe(plaintext);
  }
}

/** @throws Failure `payload/hash` unless `bytes` have the SHA-256 `hash` */
export function checkPayloadHash(bytes: Uint8Array, hash: string, what: string): void {
  const found = hex(sha256(bytes));
  if (found === hash) return;
  throw new Failure(
    "payload/hash",
    `${what}: its payload is ${found.slice(0, 16)}…, its statement names ${hash.slice(0, 16)}…`,
  );
}

/** @throws Failure `payload/malformed` unless `bytes` are as many as a plaintext of `sizeClass` makes */
export function checkPayloadSize(bytes: Uint8Array, sizeClass: number, what: string): void {
  if (bytes.length === payloadSize(sizeClass)) return;
  throw new Failure(
    "payload/malformed",
    `${what}: its payload has ${String(bytes.length)} bytes, its size class ${String(sizeClass)} makes ${String(payloadSize(sizeClass))}`,
  );
}

function parsePlaintext(
  plaintext: Uint8Array,
  sizeClass: number,
  binding: Binding,
  what: string,
): Uint8Array {
  const malformed = new Failure(
    "payload/malformed",
    `${what}: its payload is no sealed credential`,
  );
  if (plaintext.length !== sizeClass) throw malformed;
  // No name can hold a quote, so that the first occurrence is the field.
  const bindingSize = Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.length).indexOf(
    valueField,
  );
  if (bindingSize < 0) throw malformed;
  checkBinding(plaintext.subarray(0, bindingSize), binding, malformed, what);
  const valueStart = bindingSize + valueField.length;
  const valueSize = plaintext.subarray(valueStart).indexOf(0x22);
  const paddingStart = valueStart + valueSize + paddingField.length;
  if (
    valueSize < 0 ||
    !equalBytes(plaintext.subarray(valueStart + valueSize, paddingStart), paddingField) ||
    !equalBytes(plaintext.subarray(-end.length), end) ||
    paddingStart > plaintext.length - end.length ||
    !plaintext.subarray(paddingStart, -end.length).every((byte) => byte === zero)
  ) {
    throw malformed;
  }
  // Last, so that nothing is refused while a copy of the value lies about.
  const value = decodeBase64(plaintext.subarray(valueStart, valueStart + valueSize));
  if (value !== undefined && value.length <= maxValueSize) return value;
  wipe(value ?? new Uint8Array(0));
  throw malformed;
}

function checkBinding(
  bytes: Uint8Array,
  expected: Binding,
  malformed: Failure,
  what: string,
): void {
  if (equalBytes(bytes, encodeBinding(expected))) return;
  // Only the binding is parsed, to say what it is; the value stays out of it.
  const parsed = parseBinding(bytes);
  if (parsed === undefined || !equalBytes(encodeBinding(parsed), bytes)) throw malformed;
  const describe = (binding: Binding): string =>
    `${binding.credential} of ${binding.bundle} for ${binding.audience.join(", ")} in cluster ${binding.cluster}`;
  throw new Failure(
    "payload/mismatch",
    `${what}: sealed as ${describe(parsed)}, named as ${describe(expected)}`,
  );
}

function parseBinding(bytes: Uint8Array): Binding | undefined {
  try {
    const parsed = z.safeParse(BindingRecord, JSON.parse(`${textOf(bytes) ?? ""}}`));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
