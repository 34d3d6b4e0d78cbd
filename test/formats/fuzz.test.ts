import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, hex, textOf, utf8 } from "../../src/crypto/bytes.ts";
import { decodeIdentity, encodeIdentity, parseIdentityFile } from "../../src/crypto/identity.ts";
import { parseRecipient } from "../../src/crypto/recipient.ts";
import { Failure } from "../../src/failure.ts";
import { parseHeader } from "../../src/formats/age/header.ts";
import { openProfileHeader, parseDetachedHeader } from "../../src/formats/age/profile.ts";
import {
  decodeNodeConfiguration,
  decodeRepositoryConfiguration,
} from "../../src/formats/configuration.ts";
import { openEntry, sealEntry } from "../../src/formats/entry.ts";
import { nameKinds, parseName, type NameKind } from "../../src/formats/names.ts";
import { commitmentOf, openPayload, sealPayload } from "../../src/formats/payload.ts";
import { decodeCard } from "../../src/formats/records/card.ts";
import { decodeMembers, decodePool } from "../../src/formats/records/pool.ts";
import { decodeRoster } from "../../src/formats/records/roster.ts";
import { decodeStatement } from "../../src/formats/records/statement.ts";
import { isSignerKey, parseSignerKey } from "../../src/formats/sshsig/public-key.ts";
import { parseSignature, verifySignature } from "../../src/formats/sshsig/signature.ts";
import { decryptPayload } from "../../src/formats/age/stream.ts";
import { sha256 } from "../../src/crypto/digest.ts";
import { count, seed } from "../soak.ts";
import { chunksOf, fixedFileKey, fixedPayload } from "../vectors/sealing.ts";
import { spell } from "../vectors/breaking.ts";
import { outcomeOf } from "./failure-code.ts";
import {
  sampleBinding,
  sampleCard,
  sampleMembers,
  samplePool,
  sampleRoster,
  sealSample,
  testIdentity,
  testSigner,
} from "./samples.ts";

const runs = { seed, numRuns: count(3000) };
const node = testIdentity("node-1");
const pool = testIdentity("pool main 2");
const { statement, statementBytes, signature, header, payload } = sealSample();
const configuration = {
  cluster: sampleBinding.cluster,
  source: "dir:.",
  roots: [testSigner("root").signer],
  threshold: 1,
};

/** Everything that takes bytes from outside, with something valid to begin from. */
const readers: Readonly<Record<string, readonly [Uint8Array, (bytes: Uint8Array) => unknown]>> = {
  card: [spell(sampleCard), decodeCard],
  roster: [spell(sampleRoster), decodeRoster],
  pool: [spell(samplePool), decodePool],
  members: [spell(sampleMembers), decodeMembers],
  statement: [statementBytes, decodeStatement],
  signature: [
    signature,
    (bytes) => verifySignature(parseSignature(bytes), statementBytes, "bundle"),
  ],
  "age header": [header, parseHeader],
  header: [header, (bytes) => openProfileHeader(parseDetachedHeader(bytes), pool)],
  entry: [sealEntry(pool, node.recipient), (bytes) => openEntry(bytes, node, pool.recipient)],
  payload: [payload.bytes, (bytes) => decryptPayload(payload.fileKey, bytes)],
  identity: [encodeIdentity(node), (bytes) => decodeIdentity(bytes, "it")],
  "identity file": [encodeIdentity(node), (bytes) => parseIdentityFile(bytes, "it")],
  "public key": [
    utf8(`${testSigner("alice").signer} alice@example.org\n`),
    (bytes) => parseSignerKey(textOf(bytes) ?? "", "it"),
  ],
  "repository's configuration": [
    spell(configuration),
    (bytes) => decodeRepositoryConfiguration(bytes, "it"),
  ],
  "node's configuration": [
    spell({ ...configuration, node: "node-1" }),
    (bytes) => decodeNodeConfiguration(bytes, "it"),
  ],
};

/** Pieces of `valid` with something between, before or after them: more hostile than noise. */
function mutations(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  const at = fc.nat({ max: valid.length });
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 8 }),
    fc
      .constantFrom("\n", " ", "=", "-", "->", "---", '"', "{", "[", "]", ",", "\0", "null", "1e9")
      .map(utf8),
  );
  return fc
    .tuple(at, at, noise)
    .map(([to, from, between]) =>
      concatBytes(valid.subarray(0, to), between, valid.subarray(from)),
    );
}

/** Holds where `read` ends in a value or in a Failure of one line. */
function endsWell(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    expect(error.message.length).toBeLessThan(1000);
  }
}

describe("whatever the bytes, it is a value or a Failure", () => {
  for (const [name, [valid, read]] of Object.entries(readers)) {
    it(`from a ${name}`, () => {
      expect(outcomeOf(() => read(valid))).toBe("success");
      const bytes = fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.string({ unit: "binary", maxLength: 300 }).map(utf8),
        { arbitrary: mutations(valid), weight: 4 },
      );
      fc.assert(
        fc.property(bytes, (input) => {
          endsWell(() => read(input));
        }),
        runs,
      );
    });
  }
});

/** `value` with one of its parts, however deep, replaced by `part`. */
function replacePart(value: unknown, choose: () => number, part: unknown): unknown {
  if (typeof value !== "object" || value === null || choose() < 0.2) return part;
  const entries: [string, unknown][] = Object.entries(value);
  const target = Math.floor(choose() * entries.length);
  const replaced = entries.map(([name, inner], index): [string, unknown] => [
    name,
    index === target ? replacePart(inner, choose, part) : inner,
  ]);
  if (Array.isArray(value)) return replaced.map(([, inner]) => inner);
  return Object.fromEntries(replaced);
}

describe("whatever JSON stands in one place of a record, it is a value or a Failure", () => {
  const records: Readonly<Record<string, readonly [object, (bytes: Uint8Array) => object]>> = {
    card: [sampleCard, decodeCard],
    roster: [sampleRoster, decodeRoster],
    pool: [samplePool, decodePool],
    members: [sampleMembers, decodeMembers],
    statement: [statement, decodeStatement],
  };
  for (const [name, [record, decode]] of Object.entries(records)) {
    it(`in a ${name}; and what is read is spelled the same`, () => {
      const chances = fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true }));
      fc.assert(
        fc.property(chances, fc.jsonValue(), (stream, part) => {
          const choose = (): number => Number(stream.next().value);
          const inner = utf8(`${JSON.stringify(replacePart(record, choose, part), null, 2)}\n`);
          endsWell(() => {
            expect(hex(spell(decode(inner)))).toBe(hex(inner));
          });
        }),
        runs,
      );
    });
  }
});

describe("whatever a payload decrypts to, it is the value or a Failure", () => {
  const fileKey = fixedFileKey("fuzz");
  const honest = sealPayload(sampleBinding, utf8("not so secret"));
  const plaintext = decryptPayload(honest.fileKey, honest.bytes);

  it("in one spelling only", () => {
    fc.assert(
      fc.property(fc.oneof(mutations(plaintext), fc.uint8Array()), (hostile) => {
        const bytes = fixedPayload(fileKey, chunksOf(hostile));
        const facts = {
          hash: hex(sha256(bytes)),
          sizeClass: hostile.length,
          commitment: commitmentOf(fileKey),
        };
        const open = (): Uint8Array => openPayload(bytes, fileKey, facts, sampleBinding);
        const outcome = outcomeOf(open);
        expect(["success", "payload/malformed", "payload/mismatch"]).toContain(outcome);
        if (outcome !== "success") return;
        const again = utf8(
          (textOf(plaintext) ?? "").replace(
            /"value":"[^"]*","padding":"0*"/u,
            () =>
              `"value":"${Buffer.from(open()).toString("base64")}","padding":"${"0".repeat(paddingOf(hostile))}"`,
          ),
        );
        expect(hex(again)).toBe(hex(hostile));
      }),
      runs,
    );
  });
});

function paddingOf(plaintext: Uint8Array): number {
  return /"padding":"(0*)"\}$/u.exec(textOf(plaintext) ?? "")?.[1]?.length ?? 0;
}

describe("texts", () => {
  it("are names or refused, of every kind", () => {
    const kinds = Object.keys(nameKinds) as NameKind[];
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.stringMatching(/^[a-z0-9./@-]{0,9}$/u),
    );
    fc.assert(
      fc.property(texts, fc.constantFrom(...kinds), (text, kind) => {
        endsWell(() => {
          expect(parseName(kind, text)).toBe(text);
          expect(text).toMatch(/^[a-zA-Z0-9:_.\\@/-]{1,128}$/u);
        });
      }),
      runs,
    );
  });

  it("never climb out of a folder as a bundle's name", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a.0/]{1,8}$/u), (text) => {
        if (!nameKinds.bundle.is(text)) return;
        const segments = text.split("/");
        expect(segments.every((segment) => segment !== "" && !segment.startsWith("."))).toBe(true);
      }),
      runs,
    );
  });

  it("are keys or not, without an exception", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(isSignerKey(text) && parseSignerKey(text, "it") !== text).toBe(false);
        expect(parseRecipient(text)).toBeUndefined();
      }),
      runs,
    );
  });
});

describe("a mebibyte of hostility is refused in good time", () => {
  const mebibyte = 1024 * 1024;
  const inputs: readonly (readonly [string, () => unknown])[] = [
    ["a letter's recipient", () => parseRecipient(`age1pq1${"q".repeat(mebibyte)}`)],
    [
      "a letter's identity",
      () => decodeIdentity(utf8(`AGE-SECRET-KEY-PQ-1${"Q".repeat(mebibyte)}`), "it"),
    ],
    ["comments", () => parseIdentityFile(utf8("#\n".repeat(mebibyte / 2)), "it")],
    ["blanks in a key", () => parseSignerKey(`ssh-ed25519${" ".repeat(mebibyte)}x`, "it")],
    ["brackets", () => decodeStatement(utf8("[".repeat(mebibyte)))],
    ["nulls", () => decodeRoster(utf8(`{"roots":[${"null,".repeat(200_000)}null]}`))],
    ["a name", () => decodeCard(utf8(`{"node":"${"a".repeat(mebibyte)}"}`))],
    [
      "base64 lines",
      () =>
        parseHeader(
          utf8(`age-encryption.org/v1\n-> x\n${`${"A".repeat(64)}\n`.repeat(200_000)}\n`),
        ),
    ],
    [
      "armour",
      () => parseSignature(utf8(`-----BEGIN SSH SIGNATURE-----\n${"A".repeat(mebibyte)}`)),
    ],
  ];
  it.each(inputs)("from %s", (_, read) => {
    const begin = performance.now();
    endsWell(read);
    // Quadratic would be minutes.
    expect(performance.now() - begin).toBeLessThan(20_000);
  });
});
