import { describe, expect, it } from "vitest";
import { contentAddressedPath, encodeNar, nixBase32, type Tree } from "../../src/service/nar.ts";
import { parseStoreFile } from "../../src/service/store-path.ts";
import { wrapperPath } from "../../src/service/wrapper.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

// What `nix-store --add` and `nix-hash --type sha1 --to-base32` of Nix 2.8 print;
// test/root/gc-roots.test.ts asks the Nix that is there.
describe("the wrapper's store path", () => {
  it("is the one that Nix gives a directory with that script", () => {
    expect(wrapperPath(bytes("#!/bin/sh\n"))).toBe(
      "/nix/store/2a3wx31ncxd1y3636jl34d2bxaw2yhzg-sealaunch-wrapper",
    );
  });

  it("is another one for any other script", () => {
    const paths = ["", "a", "b", "a".repeat(7), "a".repeat(8), "a".repeat(9)].map((script) =>
      wrapperPath(bytes(script)),
    );
    expect(new Set(paths).size).toBe(paths.length);
    for (const path of paths) expect(parseStoreFile(path).storePath).toBe(path);
  });
});

describe("a NAR", () => {
  it("doesn't depend on the order in which a directory is given", () => {
    const [one, other] = [bytes("1"), bytes("2")];
    const forwards = new Map([
      ["a", one],
      ["b", other],
    ]);
    const backwards = new Map([...forwards].reverse());
    expect(encodeNar(backwards, "plain")).toEqual(encodeNar(forwards, "plain"));
  });

  it("of a directory is named as Nix names it", () => {
    const tree: Tree = new Map<string, Tree | Uint8Array>([
      ["a", bytes("1")],
      ["b", new Map([["c", bytes("2")]])],
      ["B", new Map()],
    ]);
    expect(contentAddressedPath("tree", encodeNar(tree, "executable"))).toBe(
      "/nix/store/2pbh4q91kjg4azl5ma8pablw4j0h3qpq-tree",
    );
  });
});

describe("Nix's base 32", () => {
  it("is what nix-hash prints", () => {
    const sha1 = Buffer.from("a9993e364706816aba3e25717850c26c9cd0d89d", "hex");
    expect(nixBase32(sha1)).toBe("kpcd173cq987hw957sx6m0868wv3x6d9");
  });
});
