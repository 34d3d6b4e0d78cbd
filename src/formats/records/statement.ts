import * as z from "zod/mini";
import { decodeRecord, encodeRecord } from "../canonical.ts";
import {
  audienceField,
  clusterField,
  countField,
  hashField,
  nameField,
  signerKeyField,
  sortedList,
  timeField,
} from "../fields.ts";
import { sizeClasses } from "../payload.ts";

const itself = (text: string): string => text;

const SealedEpoch = z.strictObject({ pool: nameField("pool"), epoch: countField(1) });

const Credential = z.strictObject({
  name: nameField("credential"),
  payload: hashField,
  sizeClass: z.int().check(z.refine((size) => sizeClasses.includes(size), "is no size class")),
  commitment: hashField,
  sealed: timeField,
  sealedBy: signerKeyField,
  epochs: sortedList(SealedEpoch, (epoch) => epoch.pool, 1),
});

/** The signed part of a bundle (docs/bundle-format.md §8.1). */
const Statement = z.strictObject({
  type: z.literal("bundle"),
  version: z.literal(1),
  cluster: clusterField,
  name: nameField("bundle"),
  series: countField(0),
  generation: countField(1),
  previous: z.nullable(hashField),
  created: timeField,
  expires: z.nullable(timeField),
  rosterGeneration: countField(1),
  audience: audienceField,
  units: sortedList(nameField("unit"), itself),
  inPlace: z.boolean(),
  credentials: sortedList(Credential, (credential) => credential.name, 1),
});
export type Statement = z.infer<typeof Statement>;
/** One credential of a statement: public facts, and the hashes of its sealed bytes. */
export type StatementCredential = z.infer<typeof Credential>;

/** A statement is at most this many bytes. */
export const maxStatementSize = 1024 * 1024;

/** The bytes that a signer signs. */
export function encodeStatement(statement: Statement): Uint8Array {
  return encodeRecord(statement);
}

/** @throws Failure `statement/malformed` */
export function decodeStatement(bytes: Uint8Array): Statement {
  return decodeRecord(bytes, Statement, "statement/malformed", "statement", maxStatementSize);
}
