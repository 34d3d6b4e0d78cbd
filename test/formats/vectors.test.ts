import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fromHex, hex, utf8 } from "../../src/crypto/bytes.ts";
import { decodeIdentity, type Identity } from "../../src/crypto/identity.ts";
import { parseRecipient } from "../../src/crypto/recipient.ts";
import { openProfileHeader, parseDetachedHeader } from "../../src/formats/age/profile.ts";
import { decryptPayload } from "../../src/formats/age/stream.ts";
import { openEntry } from "../../src/formats/entry.ts";
import { openPayload, type Binding } from "../../src/formats/payload.ts";
import { decodeCard, encodeCard } from "../../src/formats/records/card.ts";
import {
  decodeMembers,
  decodePool,
  encodeMembers,
  encodePool,
} from "../../src/formats/records/pool.ts";
import { decodeRoster, encodeRoster } from "../../src/formats/records/roster.ts";
import { decodeStatement, encodeStatement } from "../../src/formats/records/statement.ts";
import {
  parseSignature,
  verifySignature,
  type SignedType,
} from "../../src/formats/sshsig/signature.ts";
import { vectorFiles, vectorFolder } from "../vectors/all.ts";
import {
  decodeVector,
  vectorObjects,
  type Vector,
  type VectorObject,
} from "../vectors/vector-file.ts";
import { outcomeOf } from "./failure-code.ts";

const files = readdirSync(vectorFolder, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".vector"))
  .sort();
const vectors = files.map((name) =>
  decodeVector(name, new Uint8Array(readFileSync(join(vectorFolder, name)))),
);

function field(vector: Vector, name: string): string {
  const value = vector.fields[name];
  if (value === undefined) throw new Error(`internal: ${vector.name} has no field ${name}`);
  return value;
}

function identityOf(vector: Vector): Identity {
  return decodeIdentity(utf8(field(vector, "identity")), "the vector's identity");
}

/** A record that parses encodes back to the same bytes. */
function sameAgain<T>(
  decode: (bytes: Uint8Array) => T,
  encode: (record: T) => Uint8Array,
): (vector: Vector) => void {
  return ({ bytes }) => {
    expect(hex(encode(decode(bytes)))).toBe(hex(bytes));
  };
}

/** How each kind of object is read, and what has to come out of it. */
const readers: Record<VectorObject, (vector: Vector) => void> = {
  card: sameAgain(decodeCard, encodeCard),
  roster: sameAgain(decodeRoster, encodeRoster),
  pool: sameAgain(decodePool, encodePool),
  members: sameAgain(decodeMembers, encodeMembers),
  statement: sameAgain(decodeStatement, encodeStatement),
  signature: (vector) => {
    const signed = field(vector, "signed") as SignedType;
    verifySignature(parseSignature(vector.bytes), fromHex(field(vector, "message")), signed);
  },
  header: (vector) => {
    const fileKey = openProfileHeader(parseDetachedHeader(vector.bytes), identityOf(vector));
    expect(hex(fileKey)).toBe(field(vector, "file key"));
  },
  entry: (vector) => {
    const recipient = parseRecipient(field(vector, "recipient"));
    if (recipient === undefined) throw new Error(`internal: ${vector.name}: no recipient`);
    expect(openEntry(vector.bytes, identityOf(vector), recipient).recipient).toBe(recipient);
  },
  payload: (vector) => {
    const facts = {
      hash: field(vector, "hash"),
      sizeClass: Number(field(vector, "size class")),
      commitment: field(vector, "commitment"),
    };
    const binding = JSON.parse(field(vector, "binding")) as Binding;
    const fileKey = fromHex(field(vector, "file key"));
    expect(hex(openPayload(vector.bytes, fileKey, facts, binding))).toBe(field(vector, "value"));
  },
};

describe("one-fault vectors", () => {
  it("are what the generator makes, byte for byte", () => {
    const made = vectorFiles();
    expect([...made.keys()].sort()).toEqual(files);
    for (const [name, content] of made) {
      const found = readFileSync(join(vectorFolder, name));
      expect([name, Buffer.compare(found, content)]).toEqual([name, 0]);
    }
  });

  it("are at least 80 faults, over every kind of object", () => {
    expect(vectors.filter((vector) => vector.expect !== "success").length).toBeGreaterThan(80);
    for (const object of vectorObjects) {
      const ofThis = vectors.filter((vector) => vector.object === object);
      expect([object, ofThis.some((vector) => vector.expect === "success")]).toEqual([
        object,
        true,
      ]);
      expect([object, ofThis.some((vector) => vector.expect !== "success")]).toEqual([
        object,
        true,
      ]);
    }
  });

  for (const vector of vectors) {
    it(`${vector.name}, ${vector.comment}: ${vector.expect}`, () => {
      const run = (): void => {
        readers[vector.object](vector);
      };
      expect(outcomeOf(run)).toBe(vector.expect);
    });
  }

  it("have a payload that ChaCha20-Poly1305 alone opens with two file keys", () => {
    const two = vectors.find((vector) => vector.name === "payload/two-keys.vector");
    const honest = vectors.find((vector) => vector.name === "payload/valid.vector");
    if (two === undefined || honest === undefined) throw new Error("internal: no such vector");
    const plaintexts = [two, honest].map((vector) =>
      hex(decryptPayload(fromHex(field(vector, "file key")), two.bytes)),
    );
    expect(plaintexts).toHaveLength(2);
    expect(plaintexts[0]).not.toBe(plaintexts[1]);
  });
});
