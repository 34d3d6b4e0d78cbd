import * as z from "zod/mini";
import { decodeRecord, encodeRecord } from "../canonical.ts";
import {
  clusterField,
  countField,
  hashField,
  nameField,
  recipientField,
  signerKeyField,
  sortedList,
  timeField,
} from "../fields.ts";

const itself = (text: string): string => text;

const RosterPool = z.strictObject({
  name: nameField("pool"),
  managers: sortedList(signerKeyField, itself, 1),
});

const RosterSigner = z.strictObject({
  name: nameField("signer"),
  signer: signerKeyField,
  names: sortedList(nameField("scope"), itself, 1),
  expires: z.nullable(timeField),
});

const RosterOperator = z.strictObject({
  name: nameField("operator"),
  recipient: recipientField,
});

const RosterName = z.strictObject({
  name: nameField("bundle"),
  series: countField(0),
  minimum: countField(0),
});

/** Who may do what in a cluster, signed by its root keys (docs/bundle-format.md §7.2). */
const Roster = z.strictObject({
  type: z.literal("roster"),
  version: z.literal(1),
  cluster: clusterField,
  generation: countField(1),
  previous: z.nullable(hashField),
  issued: timeField,
  staleAfter: timeField,
  threshold: countField(1),
  roots: sortedList(signerKeyField, itself, 1),
  pools: sortedList(RosterPool, (pool) => pool.name),
  signers: sortedList(RosterSigner, (signer) => signer.name),
  operators: sortedList(RosterOperator, (operator) => operator.name, 1),
  names: sortedList(RosterName, (name) => name.name),
});
export type Roster = z.infer<typeof Roster>;
export type RosterPool = z.infer<typeof RosterPool>;
export type RosterSigner = z.infer<typeof RosterSigner>;
export type RosterOperator = z.infer<typeof RosterOperator>;

/** A roster is at most this many bytes. */
export const maxRosterSize = 1024 * 1024;

/** The bytes that root keys sign. */
export function encodeRoster(roster: Roster): Uint8Array {
  return encodeRecord(roster);
}

/** @throws Failure `roster/malformed` */
export function decodeRoster(bytes: Uint8Array): Roster {
  return decodeRecord(bytes, Roster, "roster/malformed", "roster", maxRosterSize);
}
