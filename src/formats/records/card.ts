import * as z from "zod/mini";
import { decodeRecord, encodeRecord } from "../canonical.ts";
import { nameField, recipientField, timeField } from "../fields.ts";

/** What a node says of itself, signed by its SSH host key (docs/bundle-format.md §7.1). */
const Card = z.strictObject({
  type: z.literal("card"),
  version: z.literal(1),
  node: nameField("node"),
  recipient: recipientField,
  created: timeField,
});
export type Card = z.infer<typeof Card>;

/** A card is at most this many bytes. */
export const maxCardSize = 4096;

/** The bytes that the host key signs. */
export function encodeCard(card: Omit<Card, "type" | "version">): Uint8Array {
  const { node, recipient, created } = card;
  return encodeRecord({ type: "card", version: 1, node, recipient, created } satisfies Card);
}

/** @throws Failure `card/malformed` */
export function decodeCard(bytes: Uint8Array): Card {
  return decodeRecord(bytes, Card, "card/malformed", "card", maxCardSize);
}
