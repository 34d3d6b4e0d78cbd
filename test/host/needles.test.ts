import { describe, expect, it } from "vitest";
import { Scanner, spellings } from "../../src/host/needles.ts";

const secret = Buffer.from("correct horse battery staple");
const sought = [
  { name: "horse", needles: spellings(secret) },
  { name: "other", needles: spellings(Buffer.from("something else")) },
];

/** What is found in bytes that come in pieces of that size. */
function foundIn(bytes: Uint8Array, pieceSize: number): readonly string[] {
  const scanner = new Scanner(sought);
  for (let at = 0; at < bytes.length; at += pieceSize) {
    scanner.push(bytes.subarray(at, at + pieceSize));
  }
  return scanner.found;
}

describe("a scanner", () => {
  it("finds a secret however the pieces cut it", () => {
    const text = Buffer.from(`some ${secret.toString()} text`);
    for (let size = 1; size <= text.length; size++) expect(foundIn(text, size)).toEqual(["horse"]);
  });

  it.for(["base64", "base64url", "hex"] as const)("finds it within a text's %s", (encoding) => {
    for (const before of ["", "a", "ab", "abc"]) {
      const text = Buffer.from(`${before}${secret.toString()}, and more`).toString(encoding);
      expect(foundIn(Buffer.from(text), 7)).toEqual(["horse"]);
    }
  });

  it("tells what it found apart, and finds nothing in what is nearly it", () => {
    const both = Buffer.from(`something else, ${secret.toString()}`);
    expect([...foundIn(both, 10)].sort()).toEqual(["horse", "other"]);
    expect(foundIn(secret.subarray(1), 5)).toEqual([]);
    expect(foundIn(secret.subarray(0, -1), 5)).toEqual([]);
  });
});
