import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBase64, encodeBase64 } from "../../src/crypto/base64.ts";
import { textOf, utf8 } from "../../src/crypto/bytes.ts";

const unpadded = (text: string): string => text.replace(/=+$/u, "");

describe("base64", () => {
  it("encodes as the runtime does, with padding and without", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const expected = Buffer.from(bytes).toString("base64");
        expect(textOf(encodeBase64(bytes))).toBe(expected);
        expect(textOf(encodeBase64(bytes, false))).toBe(unpadded(expected));
      }),
    );
  });

  it("decodes what it encodes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, padded) => {
        expect(decodeBase64(encodeBase64(bytes, padded), padded)).toEqual(bytes);
      }),
    );
  });

  it("decodes nothing but its own spelling: what decodes encodes to the same text", () => {
    const alphabet = Array.from("ABZaz059+/=-_ \n\u0000é");
    const texts = fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 12 });
    fc.assert(
      fc.property(texts, fc.boolean(), (text, padded) => {
        const decoded = decodeBase64(utf8(text), padded);
        if (decoded === undefined) return;
        expect(textOf(encodeBase64(decoded, padded))).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it("agrees with the runtime on every text of two to four letters of a small alphabet", () => {
    const letters = Array.from("AQg/9=+");
    const texts = letters.flatMap((a) =>
      letters.flatMap((b) => [
        a + b,
        ...letters.flatMap((c) => [a + b + c, ...letters.map((d) => a + b + c + d)]),
      ]),
    );
    expect(texts).toHaveLength(49 + 343 + 2401);
    for (const text of texts) {
      const runtime = Buffer.from(text, "base64");
      const canonical = runtime.toString("base64");
      expect([text, decodeBase64(utf8(text)) !== undefined]).toEqual([text, canonical === text]);
      expect([text, decodeBase64(utf8(text), false) !== undefined]).toEqual([
        text,
        unpadded(canonical) === text,
      ]);
    }
  });

  it.each([
    ["a bit set that no byte uses", "QUF="],
    ["two bits set that no byte uses", "QR=="],
    ["padding too much", "QUI=="],
    ["padding only", "===="],
    ["padding inside", "QQ==QUJD"],
    ["no padding", "QUI"],
    ["white space", "QUJD\n"],
    ["the URL alphabet", "--__"],
  ])("refuses %s", (_, text) => {
    expect(decodeBase64(utf8(text))).toBeUndefined();
  });

  it("takes a mebibyte in a fraction of a second", () => {
    const bytes = new Uint8Array(1024 * 1024).map((_, index) => index);
    const decoded = decodeBase64(encodeBase64(bytes));
    expect(Buffer.compare(decoded ?? new Uint8Array(), bytes)).toBe(0);
  });
});
