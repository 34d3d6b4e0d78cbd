import { describe, expect, it } from "vitest";
import { hex } from "../../src/crypto/bytes.ts";
import type { FailureCode } from "../../src/failure.ts";
import { openProfileHeader, parseDetachedHeader } from "../../src/formats/age/profile.ts";
import { openEntry, sealEntry } from "../../src/formats/entry.ts";
import { openPayload } from "../../src/formats/payload.ts";
import { decodePool, encodePool } from "../../src/formats/records/pool.ts";
import { decodeRoster, encodeRoster } from "../../src/formats/records/roster.ts";
import { decodeStatement } from "../../src/formats/records/statement.ts";
import { namespaces, parseSignature, verifySignature } from "../../src/formats/sshsig/signature.ts";
import { chance, count } from "../soak.ts";
import { outcomeOf } from "./failure-code.ts";
import { samplePool, sampleRoster, sealSample, testIdentity, testSigner } from "./samples.ts";
import { armouredSignature } from "./sshsig-maker.ts";

type Files = Readonly<Record<string, Uint8Array>>;

/** Numbers below `total`: all of them in a soak run, else a tenth, by chance. */
function chosen(total: number, name: string): readonly number[] {
  const wanted = count(total);
  if (wanted === total) return Array.from({ length: total }, (_, index) => index);
  const next = chance(name);
  return Array.from({ length: wanted }, () => Math.floor(next() * total));
}

const { signature, statementBytes, header, payload, identity, value } = sealSample();
const alice = testSigner("alice");
const root = testSigner("root");
const node = testIdentity("node-1");
const rosterBytes = encodeRoster(sampleRoster);
const poolBytes = encodePool(samplePool);

/** A whole object's files, how a reader goes through them, and what comes out if all is well. */
interface Whole {
  readonly files: Files;
  readonly read: (files: Files) => unknown;
  readonly expected: unknown;
}

function part(files: Files, name: string): Uint8Array {
  const bytes = files[name];
  if (bytes === undefined) throw new Error(`internal: no file ${name}`);
  return bytes;
}

const wholes: Readonly<Record<string, Whole>> = {
  bundle: {
    files: { statement: statementBytes, signature, header, payload: payload.bytes },
    read: (files) => {
      const bytes = part(files, "statement");
      verifySignature(parseSignature(part(files, "signature")), bytes, "bundle");
      const { cluster, name, audience, credentials } = decodeStatement(bytes);
      const [credential] = credentials;
      if (credential === undefined) throw new Error("internal: no credential");
      const fileKey = openProfileHeader(parseDetachedHeader(part(files, "header")), identity);
      const facts = { ...credential, hash: credential.payload };
      const binding = { cluster, bundle: name, credential: credential.name, audience };
      return hex(openPayload(part(files, "payload"), fileKey, facts, binding));
    },
    expected: hex(value),
  },
  roster: {
    files: {
      roster: rosterBytes,
      signature: armouredSignature(root, rosterBytes, namespaces.roster),
    },
    read: (files) => {
      const bytes = part(files, "roster");
      const signer = verifySignature(parseSignature(part(files, "signature")), bytes, "roster");
      return [signer, decodeRoster(bytes)];
    },
    expected: [root.signer, sampleRoster],
  },
  pool: {
    files: {
      pool: poolBytes,
      // By a security key, whose signatures have more fields to alter.
      signature: armouredSignature(testSigner("manager", "ssh:"), poolBytes, namespaces.pool),
    },
    read: (files) => {
      const bytes = part(files, "pool");
      const signer = verifySignature(parseSignature(part(files, "signature")), bytes, "pool");
      return [signer, decodePool(bytes)];
    },
    expected: [testSigner("manager", "ssh:").signer, samplePool],
  },
  entry: {
    files: { entry: sealEntry(identity, node.recipient) },
    read: (files) => openEntry(part(files, "entry"), node, identity.recipient),
    expected: identity,
  },
};

/** How often each code came up, where `change` alters one file; fails on anything but a failure. */
function refusals(
  { files, read }: Whole,
  name: string,
  changes: Iterable<Uint8Array>,
): Map<FailureCode, number> {
  const codes = new Map<FailureCode, number>();
  for (const changed of changes) {
    const outcome = outcomeOf(() => read({ ...files, [name]: changed }));
    if (outcome === "success") expect.fail(`an altered ${name} was read: ${hex(changed)}`);
    codes.set(outcome, (codes.get(outcome) ?? 0) + 1);
  }
  return codes;
}

function* flips(bytes: Uint8Array, bits: readonly number[]): Iterable<Uint8Array> {
  for (const bit of bits) {
    const copy = bytes.slice();
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield copy;
  }
}

const total = (codes: ReadonlyMap<FailureCode, number>): number =>
  [...codes.values()].reduce((sum, number) => sum + number, 0);

for (const [kind, whole] of Object.entries(wholes)) {
  describe(`a whole ${kind}`, () => {
    it("is read as it stands", () => {
      expect(whole.read(whole.files)).toEqual(whole.expected);
    });

    for (const [name, bytes] of Object.entries(whole.files)) {
      it(`is refused with its ${name} cut at any byte`, () => {
        const sizes = chosen(bytes.length, `${kind} ${name} cut`);
        const cuts = sizes.map((size) => bytes.slice(0, size));
        expect(total(refusals(whole, name, cuts))).toBe(sizes.length);
      });

      it(`is refused with any bit of its ${name} flipped`, () => {
        const bits = chosen(bytes.length * 8, `${kind} ${name} flipped`);
        expect(total(refusals(whole, name, flips(bytes, bits)))).toBe(bits.length);
      });

      it(`is refused with a byte added to its ${name}`, () => {
        const added = [0, 0x0a, 0x20, 0x30, 0xff].map((byte) => Uint8Array.of(...bytes, byte));
        expect(total(refusals(whole, name, added))).toBe(5);
      });
    }
  });
}

describe("a statement's signature", () => {
  it("is for no other object of the same signer", () => {
    for (const [type, namespace] of Object.entries(namespaces)) {
      const armoured = parseSignature(armouredSignature(alice, statementBytes, namespace));
      const outcome = outcomeOf(() => verifySignature(armoured, statementBytes, "bundle"));
      expect([type, outcome]).toEqual([type, type === "bundle" ? "success" : "signature/invalid"]);
    }
  });
});
