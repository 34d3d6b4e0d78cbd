import * as z from "zod/mini";
import { utf8 } from "../crypto/bytes.ts";
import { decodeConfiguration } from "./canonical.ts";
import { hashField, nameField } from "./fields.ts";

const SealedSource = z.strictObject({
  /** Which tool decrypts it, and its path from the repository's top, as `agenix token.age`. */
  from: z.string(),
  /** SHA-256 of the encrypted file, hex. */
  hash: hashField,
  /** By credential, the payload that its value was sealed as. */
  payloads: z.record(nameField("credential"), hashField),
});
export type SealedSource = z.infer<typeof SealedSource>;

const SealedFrom = z.strictObject({
  version: z.literal(1),
  bundles: z.record(nameField("bundle"), z.array(SealedSource)),
});

/** From which encrypted files the values of bundles were sealed, by bundle. */
export type SealedFrom = Readonly<Record<string, readonly SealedSource[]>>;

/** The file's name, beside sealaunch.json. Nothing in it is secret, and nobody is trusted by it. */
export const sealedFromFile = "sealed-from.json";

/** @throws Failure `configuration/invalid`, naming the field */
export function decodeSealedFrom(bytes: Uint8Array): SealedFrom {
  return decodeConfiguration(bytes, SealedFrom, sealedFromFile).bundles;
}

/** In the order of names, so that a change shows as one. */
export function encodeSealedFrom(bundles: SealedFrom): Uint8Array {
  const inOrder = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)));
  const sorted = Object.entries(inOrder(bundles)).map(([bundle, sources]) => [
    bundle,
    sources.map(({ from, hash, payloads }) => ({ from, hash, payloads: inOrder(payloads) })),
  ]);
  return utf8(
    `${JSON.stringify({ version: 1, bundles: Object.fromEntries(sorted) as object }, null, 2)}\n`,
  );
}
