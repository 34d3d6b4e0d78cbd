import { describe, expect, it } from "vitest";
import { textOf, utf8 } from "../../src/crypto/bytes.ts";
import { decodeNarInfo, encodeNarInfo, narInfoFingerprint } from "../../src/formats/nar-info.ts";
import { refusal } from "../fixtures/refusal.ts";

// As cache.nixos.org has it.
const text = `StorePath: /nix/store/p4pclmv1gyja5kzc26npqpia1qqxrf0l-ruby-2.7.3
URL: nar/1w1fff338fvdw53sqgamddn1b2xgds473pv6y13gizdbqjv4i5p3.nar.xz
Compression: xz
FileHash: sha256:1w1fff338fvdw53sqgamddn1b2xgds473pv6y13gizdbqjv4i5p3
FileSize: 4029176
NarHash: sha256:1impfw8zdgisxkghq9a3q7cn7jb9zyzgxdydiamp8z2nlyyl0h5h
NarSize: 18735072
References: 0d71ygfwbmy1xjlbj1v027dfmy9cqavy-libffi-3.3 0dbbrvlw2rahvzi69bmpqy1z9mvzg62s-gdbm-1.19
Deriver: bidkcs01mww363s4s7akdhbl6ws66b0z-ruby-2.7.3.drv
Sig: cache.nixos.org-1:GrGV/Ls10TzoOaCnrcAqmPbKXFLLSBDeGNh5EQGKyuGA4K1wv1LcRVb6/sU+NAPK8lDiam8XcdJzUngmdhfTBQ==
`;

describe("a narinfo", () => {
  it("is read and written byte for byte", () => {
    expect(textOf(encodeNarInfo(decodeNarInfo(utf8(text), "it")))).toBe(text);
  });

  it("is signed over path, hash, size and whole references", () => {
    expect(textOf(narInfoFingerprint(decodeNarInfo(utf8(text), "it")))).toBe(
      "1;/nix/store/p4pclmv1gyja5kzc26npqpia1qqxrf0l-ruby-2.7.3;" +
        "sha256:1impfw8zdgisxkghq9a3q7cn7jb9zyzgxdydiamp8z2nlyyl0h5h;18735072;" +
        "/nix/store/0d71ygfwbmy1xjlbj1v027dfmy9cqavy-libffi-3.3," +
        "/nix/store/0dbbrvlw2rahvzi69bmpqy1z9mvzg62s-gdbm-1.19",
    );
  });

  it("keeps lines of others out of what it says", () => {
    const { deriver, references } = decodeNarInfo(
      utf8(
        text
          .replace(/Deriver: .*/u, "Deriver: unknown-deriver\nSystem: x")
          .replace(/References: .*/u, "References:"),
      ),
      "it",
    );
    expect([deriver, references]).toEqual([undefined, []]);
  });

  it.for([
    ["nothing", ""],
    ["a web page", "<html>"],
    ["no path", text.replace(/^StorePath.*\n/u, "")],
    ["two hashes", text.replace(/^(NarHash.*\n)/mu, "$1$1")],
    ["a size that is no number", text.replace(/NarSize: .*/u, "NarSize: -1")],
  ])("isn't %s", async ([, wrong = ""]) => {
    expect(await refusal(() => decodeNarInfo(utf8(wrong), "it"))).toBe("cache/invalid");
  });
});
