import * as z from "zod/mini";
import { textOf, utf8 } from "../crypto/bytes.ts";
import { decodeBase64, encodeBase64 } from "../crypto/base64.ts";
import { decodeConfiguration } from "./canonical.ts";
import { clusterField, nameField, recipientField } from "./fields.ts";
import { Failure } from "../failure.ts";

// What `sync` sends to a node and gets from it over a pipe. It is no format of anything that is kept.

/** More than a cluster has that is brought by hand, and less than a process here may hold. */
export const maxTreeSize = 96 * 1024 * 1024;

const pathField = z
  .string()
  .check(z.regex(/^[a-z]+(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)+$/u), z.maxLength(512));

const Tree = z.strictObject({
  version: z.literal(1),
  /** By path, base64. */
  objects: z.record(pathField, z.string()),
  /** Paths of what is there too, and isn't sent: who gets the tree has it, or needs only its name. */
  named: z.array(pathField),
});

/** Objects by their paths, and what is there besides. */
export interface Tree {
  readonly objects: ReadonlyMap<string, Uint8Array>;
  readonly named: ReadonlySet<string>;
}

/** The bytes that say what is where. @throws Failure `source/hostile` if it is more than one reads */
export function encodeTree({ objects, named }: Tree): Uint8Array {
  const texts: Record<string, string> = {};
  for (const [path, object] of objects) texts[path] = textOf(encodeBase64(object)) ?? "";
  const bytes = utf8(`${JSON.stringify({ version: 1, objects: texts, named: [...named] })}\n`);
  requireSize(bytes, "what is to be sent");
  return bytes;
}

/** @throws Failure `source/hostile` */
export function decodeTree(bytes: Uint8Array, what: string): Tree {
  requireSize(bytes, what);
  const { objects, named } = decodeConfiguration(bytes, Tree, what, "source/hostile");
  const decoded = new Map<string, Uint8Array>();
  for (const [path, text] of Object.entries(objects)) {
    const object = decodeBase64(utf8(text));
    if (object === undefined) throw new Failure("source/hostile", `${what}: ${path} is no base64`);
    decoded.set(path, object);
  }
  return { objects: decoded, named: new Set(named) };
}

const Holding = z.strictObject({
  version: z.literal(1),
  cluster: clusterField,
  node: nameField("node"),
  recipients: z.array(recipientField).check(z.minLength(1)),
  /** What its mirror has: by path, hex of the SHA-256. */
  objects: z.record(pathField, z.string().check(z.regex(/^[0-9a-f]{64}$/u))),
});
/** What a node says of itself before anything is sent to it. Nobody has signed it: it only spares sending. */
export type Holding = z.infer<typeof Holding>;

export function encodeHolding(holding: Omit<Holding, "version">): Uint8Array {
  return utf8(`${JSON.stringify({ version: 1, ...holding })}\n`);
}

/** @throws Failure `source/hostile` */
export function decodeHolding(bytes: Uint8Array, what: string): Holding {
  requireSize(bytes, what);
  return decodeConfiguration(bytes, Holding, what, "source/hostile");
}

function requireSize({ length }: Uint8Array, what: string): void {
  if (length <= maxTreeSize) return;
  throw new Failure(
    "source/hostile",
    `${what} has ${String(length)} bytes, more than ${String(maxTreeSize)}`,
  );
}
