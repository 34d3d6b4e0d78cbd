import { isUsable } from "../crypto/xwing.ts";
import { Failure } from "../failure.ts";
import { decodeCard, type Card } from "../formats/records/card.ts";
import type { SignerKey } from "../formats/sshsig/public-key.ts";
import { parseSignature, verifySignature } from "../formats/sshsig/signature.ts";

/** A card and the key that signed it. Whose key that is, a card can't say. */
export interface SignedCard {
  readonly card: Card;
  readonly hostKey: SignerKey;
}

/**
 * The card in `bytes`, signed by whoever holds the key that is returned with it.
 *
 * @throws Failure `signature/…`, `ssh-key/unsupported`, `card/malformed`; `recipient/malformed`
 *   if nothing can be encrypted to the recipient on it
 */
export function judgeCard(bytes: Uint8Array, signature: Uint8Array): SignedCard {
  const hostKey = verifySignature(parseSignature(signature), bytes, "card");
  const card = decodeCard(bytes);
  if (isUsable(card.recipient)) return { card, hostKey };
  throw new Failure("recipient/malformed", `the recipient on the card of ${card.node} is no key`);
}
