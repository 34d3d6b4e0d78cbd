import { createHash } from "node:crypto";

// How Nix names what lies in the store: a hash over the tree in its archive format, NAR, in which
// nothing but names, contents and the executable bit counts.

/** A directory as the store keeps one: files, and directories, by name. */
export type Tree = ReadonlyMap<string, Tree | Uint8Array>;

/** Whether the files of a tree may all be executed, or none. */
export type FileKind = "executable" | "plain";

/** The NAR of a directory. */
export function encodeNar(tree: Tree, files: FileKind): Uint8Array {
  return Buffer.concat([...texts("nix-archive-1"), ...encodeNode(tree, files)]);
}

/** The name under which the store keeps the content that a NAR holds, and that refers to nothing else. */
export function contentAddressedPath(name: string, nar: Uint8Array): string {
  const hash = createHash("sha256").update(nar).digest("hex");
  const fingerprint = `source:sha256:${hash}:/nix/store:${name}`;
  const full = createHash("sha256").update(fingerprint).digest();
  return `/nix/store/${nixBase32(fold(full, 20))}-${name}`;
}

const digits = "0123456789abcdfghijklmnpqrsvwxyz";

/** Nix's base 32: the last bits first. */
export function nixBase32(bytes: Uint8Array): string {
  let text = "";
  for (let digit = Math.ceil((bytes.length * 8) / 5) - 1; digit >= 0; digit--) {
    const bit = digit * 5;
    const at = Math.floor(bit / 8);
    const pair = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
    text += digits[(pair >> (bit % 8)) & 31] ?? "";
  }
  return text;
}

/** The bytes, each further `size` of them laid over the first by exclusive or. */
function fold(bytes: Uint8Array, size: number): Uint8Array {
  const folded = new Uint8Array(size);
  for (const [at, byte] of bytes.entries()) folded[at % size] = (folded[at % size] ?? 0) ^ byte;
  return folded;
}

function encodeNode(node: Tree | Uint8Array, files: FileKind): Uint8Array[] {
  if (node instanceof Uint8Array) {
    const words = texts("(", "type", "regular", ...(files === "plain" ? [] : ["executable", ""]));
    return [...words, ...texts("contents"), encodeBytes(node), ...texts(")")];
  }
  const entries = [...node].sort(([one], [other]) => (one < other ? -1 : 1));
  return [
    ...texts("(", "type", "directory"),
    ...entries.flatMap(([name, entry]) => [
      ...texts("entry", "(", "name", name, "node"),
      ...encodeNode(entry, files),
      ...texts(")"),
    ]),
    ...texts(")"),
  ];
}

function texts(...words: readonly string[]): Uint8Array[] {
  return words.map((word) => encodeBytes(Buffer.from(word, "utf8")));
}

function encodeBytes(bytes: Uint8Array): Uint8Array {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([size, bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
}
