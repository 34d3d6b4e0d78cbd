import { entryVectors } from "./entries.ts";
import { headerVectors } from "./headers.ts";
import { payloadVectors } from "./payloads.ts";
import { recordVectors } from "./records.ts";
import { signatureVectors } from "./signatures.ts";
import { statementVectors } from "./statements.ts";
import { encodeVector, type Vector } from "./vector-file.ts";

/** Every vector, as it is made anew. */
const vectors: readonly Vector[] = [
  ...recordVectors,
  ...statementVectors,
  ...signatureVectors,
  ...headerVectors,
  ...entryVectors,
  ...payloadVectors,
];

/** The folder of the files, and what each is called in it. */
export const vectorFolder: string = import.meta.dirname;

/** Name and content of every vector's file. */
export function vectorFiles(): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const vector of vectors) {
    const name = `${vector.object}/${vector.name}.vector`;
    if (files.has(name)) throw new Error(`internal: two vectors are called ${name}`);
    files.set(name, encodeVector(vector));
  }
  return files;
}
