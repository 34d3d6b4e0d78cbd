import * as z from "zod/mini";
import { utf8 } from "../crypto/bytes.ts";
import { decodeConfiguration } from "./canonical.ts";
import {
  clusterField as invocationField,
  countField,
  hashField,
  nameField,
  timeField,
} from "./fields.ts";

/**
 * What the agent has decided for one start of a unit, so that all of its credentials are of one
 * generation even if the agent restarts in between. It holds no secret. The file is the node's own,
 * `/run/sealaunch/decisions/INVOCATION.json` (docs/units.md).
 */
const Decision = z.strictObject({
  version: z.literal(1),
  unit: nameField("unit"),
  /** The start, as systemd numbers it: 32 hex digits (systemd.exec(5), $INVOCATION_ID). */
  invocation: invocationField,
  at: timeField,
  bundles: z.array(
    z.strictObject({
      bundle: nameField("bundle"),
      series: countField(0),
      generation: countField(1),
      /** Of the statement's bytes. */
      statement: hashField,
      /** By the roster's names. */
      signers: z.array(nameField("signer")),
      /** The store path that it came from; left out of one that came from the source. */
      path: z.optional(z.string()),
    }),
  ),
  /** Those that were opened, without what was rendered of them. */
  credentials: z.array(nameField("credential")),
  /** Of each of them the payload that it came from; an agent before this one may have kept none. */
  payloads: z.optional(
    z.array(
      z.strictObject({
        bundle: nameField("bundle"),
        credential: nameField("credential"),
        payload: hashField,
      }),
    ),
  ),
  renders: z.array(z.strictObject({ credential: nameField("credential"), template: z.string() })),
  /** Each guarded command, up to its program. */
  commands: z.array(z.string()),
  /** Programs of the store that it runs, pinned for it with what follows. */
  programs: z.array(z.string()),
  /** Other files of the store: templates, and the wrapper. */
  files: z.array(z.string()),
});
export type Decision = z.infer<typeof Decision>;

export function encodeDecision(decision: Decision): Uint8Array {
  return utf8(`${JSON.stringify(decision)}\n`);
}

/** @throws Failure `configuration/invalid`, naming the field */
export function decodeDecision(bytes: Uint8Array, path: string): Decision {
  return decodeConfiguration(bytes, Decision, path);
}
