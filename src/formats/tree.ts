import * as z from "zod/mini";
import { textOf, utf8 } from "../crypto/bytes.ts";
import { decodeBase64, encodeBase64 } from "../crypto/base64.ts";
import { decodeConfiguration } from "./canonical.ts";
import { Failure } from "../failure.ts";

// What `sync` sends to a node and gets from it over a pipe: objects by their paths. It is no format of
// anything that is kept.

/** More than a cluster has that is brought by hand, and less than a process here may hold. */
export const maxTreeSize = 96 * 1024 * 1024;

const Tree = z.strictObject({
  version: z.literal(1),
  /** By path, base64. */
  objects: z.record(
    z.string().check(z.regex(/^[a-z]+(?:\/[A-Za-z0-9][A-Za-z0-9._-]*)+$/u), z.maxLength(512)),
    z.string(),
  ),
});

/** The bytes that say what is where. @throws Failure `source/hostile` if it is more than one reads */
export function encodeTree(objects: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const texts: Record<string, string> = {};
  for (const [path, object] of objects) texts[path] = textOf(encodeBase64(object)) ?? "";
  const bytes = utf8(`${JSON.stringify({ version: 1, objects: texts })}\n`);
  requireSize(bytes, "what is to be sent");
  return bytes;
}

/** @throws Failure `source/hostile` */
export function decodeTree(bytes: Uint8Array, what: string): Map<string, Uint8Array> {
  requireSize(bytes, what);
  const { objects } = decodeConfiguration(bytes, Tree, what, "source/hostile");
  const decoded = new Map<string, Uint8Array>();
  for (const [path, text] of Object.entries(objects)) {
    const object = decodeBase64(utf8(text));
    if (object === undefined) throw new Failure("source/hostile", `${what}: ${path} is no base64`);
    decoded.set(path, object);
  }
  return decoded;
}

function requireSize({ length }: Uint8Array, what: string): void {
  if (length <= maxTreeSize) return;
  throw new Failure(
    "source/hostile",
    `${what} has ${String(length)} bytes, more than ${String(maxTreeSize)}`,
  );
}
