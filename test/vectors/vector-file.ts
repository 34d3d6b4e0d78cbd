import { textOf, utf8, concatBytes } from "../../src/crypto/bytes.ts";
import type { FailureCode } from "../../src/failure.ts";

/** The kinds of object that vectors are of. */
export const vectorObjects = [
  "card",
  "roster",
  "pool",
  "members",
  "entry",
  "header",
  "statement",
  "signature",
  "payload",
] as const;

export type VectorObject = (typeof vectorObjects)[number];

/** One object, what is wrong with it, and what a reader has to say. */
export interface Vector {
  readonly object: VectorObject;
  /** Names the file, together with the object. */
  readonly name: string;
  readonly expect: FailureCode | "success";
  /** What was broken, in a line. */
  readonly comment: string;
  /** What a reader needs besides: identities, keys, what a statement says. */
  readonly fields: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

/** The text head, an empty line, the object's bytes: the form of C2SP/CCTV's vectors. */
export function encodeVector(vector: Vector): Uint8Array {
  const { object, expect, comment, fields, bytes } = vector;
  const lines = Object.entries({ object, expect, comment, ...fields }).map(([name, value]) => {
    if (value.includes("\n")) throw new Error(`internal: ${vector.name}: ${name} has two lines`);
    return `${name}: ${value}\n`;
  });
  return concatBytes(utf8(`${lines.join("")}\n`), bytes);
}

/** The vector in a file. */
export function decodeVector(name: string, file: Uint8Array): Vector {
  const headSize = Buffer.from(file).indexOf("\n\n");
  const head = (textOf(file.subarray(0, headSize)) ?? "").split("\n").map((line) => {
    const colon = line.indexOf(": ");
    return [line.slice(0, colon), line.slice(colon + 2)] as const;
  });
  const { object, expect, comment, ...fields } = Object.fromEntries(head) as Record<string, string>;
  if (object === undefined || expect === undefined || comment === undefined) {
    throw new Error(`internal: ${name} is no vector`);
  }
  return {
    object: object as VectorObject,
    name,
    expect: expect as Vector["expect"],
    comment,
    fields,
    bytes: file.slice(headSize + 2),
  };
}
