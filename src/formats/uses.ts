import * as z from "zod/mini";
import { utf8 } from "../crypto/bytes.ts";
import { decodeConfiguration } from "./canonical.ts";

const text = z.string().check(z.maxLength(4096));
const storePath = z
  .string()
  .check(
    z.regex(/^\/nix\/store\/[0-9a-df-np-sv-z]{32}-[0-9a-zA-Z+\-._?=]{1,211}$/u, "is no store path"),
  );
const paths = z.array(storePath);

/** What keeps store paths on a machine, and what uses them there. Every list is sorted, so that nothing changes but what has changed. */
const Uses = z.strictObject({
  version: z.literal(1),
  /** What a collection keeps: the link, and the store path that it leads to. */
  roots: z.array(z.strictObject({ root: text, path: storePath })),
  units: z.array(
    z.strictObject({
      unit: text,
      /** Whom to ask, as the unit's `X-Owner=` says. */
      owner: z.nullable(text),
      isActive: z.boolean(),
      /** What its commands and its own files name now. */
      names: paths,
      /** What its processes run, have mapped or open. */
      runs: paths,
      /** Of that, what was deleted under them. */
      deleted: paths,
      /** What its last start got, as `dns 0.17`. */
      bundles: z.array(text),
    }),
  ),
  /** Processes of no service, by their names. */
  processes: z.array(z.strictObject({ name: text, runs: paths, deleted: paths })),
  /** What couldn't be seen: `processes`, `units`, `roots`. */
  missing: z.array(text),
});
export type Uses = z.infer<typeof Uses>;
export type UnitUses = Uses["units"][number];

export function encodeUses(uses: Uses): Uint8Array {
  return utf8(`${JSON.stringify(uses)}\n`);
}

/** @throws Failure `inventory/malformed`, naming the field */
export function decodeUses(bytes: Uint8Array, what: string): Uses {
  return decodeConfiguration(bytes, Uses, what, "inventory/malformed");
}
