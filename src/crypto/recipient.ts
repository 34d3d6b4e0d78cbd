import { bech32 } from "@scure/base";
import { idOf } from "./digest.ts";
import { xwingSizes } from "./xwing-sizes.ts";

// Without libsodium: configurations name recipients, and most that read one encrypt nothing.

declare const valid: unique symbol;
/**
 * The public half of a key pair as age writes it: `age1pq1…`, 1216 bytes in Bech32, lower case.
 * Two recipients are the same when their texts are. Made only by this module.
 */
export type Recipient = string & { readonly [valid]: true };

const prefix = "age1pq";

/** The recipient of a 1216-byte X-Wing public key. */
export function recipientOfKey(publicKey: Uint8Array): Recipient {
  return bech32.encode(prefix, bech32.toWords(publicKey), false) as Recipient;
}

/** The 1216-byte X-Wing public key of a recipient. */
export function keyOfRecipient(recipient: Recipient): Uint8Array {
  return bech32.fromWords(bech32.decode(recipient as string as `${string}1${string}`, false).words);
}

/** `text` as a recipient, or undefined if it isn't exactly one. Says nothing of the key in it. */
export function parseRecipient(text: string): Recipient | undefined {
  try {
    const decoded = bech32.decode(text as `${string}1${string}`, false);
    const publicKey = bech32.fromWords(decoded.words);
    if (publicKey.length !== xwingSizes.publicKey) return undefined;
    const again = recipientOfKey(publicKey);
    return again === text ? again : undefined;
  } catch {
    return undefined;
  }
}

/** The {@link idOf} of the recipient's text: names its entry (docs/bundle-format.md §3). */
export function recipientId(recipient: Recipient): string {
  return idOf(recipient);
}
