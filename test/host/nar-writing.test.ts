import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { narOf, narSlack } from "../../src/host/nar-writing.ts";
import { refusal } from "../fixtures/refusal.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "sealaunch-nar-"));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const piece = 256 * 1024;

function ours(path: string): Buffer {
  const pieces: Buffer[] = [];
  // Each is good until the next is asked for.
  for (const bytes of narOf(path, Buffer.allocUnsafe(piece))) pieces.push(Buffer.from(bytes));
  return Buffer.concat(pieces);
}

function nixs(path: string): Buffer {
  return execFileSync("nix-store", ["--dump", path], { maxBuffer: 2 ** 30 });
}

describe("an archive", () => {
  it.for([
    0,
    1,
    7,
    8,
    9,
    4096,
    piece - 200,
    piece - 104,
    piece - 96,
    piece,
    piece + 1,
    3 * piece + 5,
  ])("of a file of %i bytes is Nix's own", (size) => {
    const path = join(directory, `file-${String(size)}`);
    writeFileSync(path, Buffer.alloc(size, "abcdefg"));
    expect(ours(path).equals(nixs(path))).toBe(true);
  });

  it("is one piece in a buffer that is as much larger as was said", () => {
    const path = join(directory, "in-one-piece");
    writeFileSync(path, Buffer.alloc(50_001, "abcdefg"));
    const whole = nixs(path);
    const pieces = narOf(path, Buffer.allocUnsafe(whole.length + narSlack));
    expect(whole.equals(pieces.next().value ?? Buffer.of())).toBe(true);
    expect(pieces.next().done).toBe(true);
  });

  it("of a tree with all there is in a store is Nix's own", () => {
    const tree = join(directory, "tree");
    mkdirSync(join(tree, "deep/er/still"), { recursive: true });
    mkdirSync(join(tree, "empty"));
    for (const name of ["a", "B", "a.b", "a-b", "é", "10", "9", "z".repeat(255)])
      writeFileSync(join(tree, name), name);
    writeFileSync(Buffer.from(`${tree}/\xff\xfe`, "latin1"), "no text");
    writeFileSync(join(tree, "deep/er/still/run"), "#!/bin/sh\n");
    chmodSync(join(tree, "deep/er/still/run"), 0o555);
    symlinkSync("../nowhere", join(tree, "deep/link"));
    symlinkSync("x".repeat(4000), join(tree, "long"));
    for (let number = 0; number < 3000; number++)
      writeFileSync(join(tree, "deep", `f${String(number)}`), "x".repeat(number % 200));
    expect(ours(tree).equals(nixs(tree))).toBe(true);
  });

  it("of a link alone is Nix's own", () => {
    const path = join(directory, "link");
    symlinkSync("/nix/store", path);
    expect(ours(path).equals(nixs(path))).toBe(true);
  });

  it("of what no store holds is refused", async () => {
    const pipe = join(directory, "pipes");
    mkdirSync(pipe);
    expect(await refusal(() => ours(join(directory, "gone")))).toBe("store/altered");
    execFileSync("mkfifo", [join(pipe, "fifo")]);
    expect(await refusal(() => ours(pipe))).toBe("store/altered");
  });
});
