import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from "node:fs";
import { Failure } from "../failure.ts";
import { errorCode } from "./error-code.ts";

/**
 * So much of a buffer may stay free: a name, or where a link points to, isn't cut, and the system has none
 * beyond 4 KiB.
 */
export const narSlack = 8 * 1024;

/**
 * The NAR of what is at `path`: Nix's archive, in which nothing but names, contents, links and the
 * executable bit counts. Each piece is a part of `buffer`, and is there until the next is asked for. All
 * of it is one piece if it is at least {@link narSlack} smaller than the buffer.
 *
 * @param buffer - of more than {@link narSlack} bytes
 * @throws Failure `store/altered` for what can't be read, or is nothing that a store holds
 */
export function* narOf(path: string, buffer: Buffer): Generator<Uint8Array, void, undefined> {
  const writer = new NarWriter(buffer);
  try {
    yield* writer.words("nix-archive-1");
    const facts = lstatSync(path);
    const kind = facts.isDirectory() ? "directory" : facts.isSymbolicLink() ? "link" : "file";
    yield* writer.node(Buffer.from(path), kind);
    yield* writer.rest();
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("store/altered", `${path} can't be read: ${errorCode(error)}`);
  }
}

type Kind = "directory" | "link" | "file";
type Pieces = Generator<Uint8Array, void, undefined>;

class NarWriter {
  private readonly buffer: Buffer;
  private filled = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  *rest(): Pieces {
    if (this.filled > 0) yield this.buffer.subarray(0, this.filled);
    this.filled = 0;
  }

  *words(...words: readonly (string | Uint8Array)[]): Pieces {
    for (const word of words) {
      const bytes = typeof word === "string" ? Buffer.from(word) : word;
      if (this.filled + bytes.length + 16 > this.buffer.length) yield* this.rest();
      this.size(bytes.length);
      this.buffer.set(bytes, this.filled);
      this.filled += bytes.length;
      this.pad(bytes.length);
    }
  }

  private size(bytes: number): void {
    this.filled = this.buffer.writeBigUInt64LE(BigInt(bytes), this.filled);
  }

  private pad(length: number): void {
    const end = this.filled + ((8 - (length % 8)) % 8);
    this.buffer.fill(0, this.filled, end);
    this.filled = end;
  }

  *node(path: Buffer, kind: Kind): Pieces {
    yield* this.words("(", "type");
    if (kind === "directory") yield* this.directory(path);
    else if (kind === "link")
      yield* this.words("symlink", "target", readlinkSync(path, { encoding: "buffer" }));
    else yield* this.file(path);
    yield* this.words(")");
  }

  private *directory(path: Buffer): Pieces {
    yield* this.words("directory");
    const entries = readdirSync(path, { withFileTypes: true, encoding: "buffer" });
    for (const entry of entries.sort((one, other) => Buffer.compare(one.name, other.name))) {
      const below = Buffer.concat([path, Buffer.from("/"), entry.name]);
      const kind = entry.isDirectory() ? "directory" : entry.isSymbolicLink() ? "link" : "file";
      yield* this.words("entry", "(", "name", entry.name, "node");
      yield* this.node(below, kind);
      yield* this.words(")");
    }
  }

  private *file(path: Buffer): Pieces {
    // What is no file isn't waited for.
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const facts = fstatSync(file);
      if (!facts.isFile())
        throw new Failure("store/altered", `${path.toString()} is no file, directory or link`);
      const executable = (facts.mode & 0o100) === 0 ? [] : ["executable", ""];
      yield* this.words("regular", ...executable, "contents");
      if (this.filled + 8 > this.buffer.length) yield* this.rest();
      this.size(facts.size);
      for (let left = facts.size; left > 0;) {
        if (this.filled === this.buffer.length) yield* this.rest();
        const most = Math.min(left, this.buffer.length - this.filled);
        const read = readSync(file, this.buffer, this.filled, most, null);
        if (read === 0) throw new Failure("store/altered", `${path.toString()} became shorter`);
        this.filled += read;
        left -= read;
      }
      if (this.filled + 8 > this.buffer.length) yield* this.rest();
      this.pad(facts.size);
    } finally {
      closeSync(file);
    }
  }
}
