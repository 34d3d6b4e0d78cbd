import * as z from "zod/mini";
import { utf8 } from "../crypto/bytes.ts";
import { decodeConfiguration } from "./canonical.ts";
import { nameField } from "./fields.ts";

export const maxEnteredSize = 1024 * 1024;

/** In which pools `sync` has seen entries of its node. Nobody has signed it: it only tells where to look. */
const Entered = z.strictObject({
  version: z.literal(1),
  /** The source of which it is so. */
  source: z.string(),
  /** Whose entries, as recipient ids. */
  recipients: z.array(z.string().check(z.regex(/^[0-9a-f]{32}$/u))),
  /** Until when, in the source's own words. */
  until: z.string(),
  pools: z.array(nameField("pool")),
});
export type Entered = z.infer<typeof Entered>;

export function encodeEntered(entered: Entered): Uint8Array {
  return utf8(`${JSON.stringify(entered)}\n`);
}

/** @throws Failure `source/hostile` */
export function decodeEntered(bytes: Uint8Array, what: string): Entered {
  return decodeConfiguration(bytes, Entered, what, "source/hostile");
}
