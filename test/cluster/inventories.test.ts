import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { readInventory } from "../../src/cluster/inventories.ts";
import { writeInventory } from "../../src/cluster/inventory-writing.ts";
import { noMarks, openMarks } from "../../src/cluster/marks.ts";
import { pack } from "../../src/cluster/packing.ts";
import { hex, utf8 } from "../../src/crypto/bytes.ts";
import { sha256 } from "../../src/crypto/digest.ts";
import { collectedPath, inventorySignaturePath } from "../../src/formats/paths.ts";
import {
  encodeInventory,
  maxPartSize,
  type Inventory,
} from "../../src/formats/records/inventory.ts";
import { openMemory } from "../../src/sources/memory.ts";
import type { Source } from "../../src/sources/source.ts";
import { hostKey, stranger } from "../fixtures/cluster.ts";
import type { TestSigner } from "../fixtures/signer.ts";

const cluster = "00112233445566778899aabbccddeeff";
const place = { cluster, node: "n1", hostKey: hostKey.key };

let objects = new Map<string, Uint8Array>();
let source: Source = openMemory("memory", objects);
const state = mkdtempSync(join(tmpdir(), "sealaunch-test-"));
afterEach(() => {
  objects = new Map();
  source = openMemory("memory", objects);
  rmSync(state, { recursive: true, force: true });
});

/** Puts an inventory there, of this text and signed by that key. */
async function put(
  change: Partial<Inventory> = {},
  by: TestSigner = hostKey,
  graph: Uint8Array = utf8("graph\n"),
  into: Source = source,
): Promise<string[]> {
  const texts = [pack(graph), pack(utf8("uses\n"))] as const;
  const bytes = encodeInventory({
    type: "inventory",
    version: 1,
    cluster,
    node: "n1",
    taken: "2026-11-25T12:00:00Z",
    paths: 1,
    graph: texts[0].packed,
    uses: texts[1].packed,
    ...change,
  });
  const signature = by.sign("inventory", bytes);
  return writeInventory(into, { node: "n1", bytes, signature, texts });
}

const read = async (marks = noMarks): Promise<string[]> => {
  const { graph, uses } = await readInventory(source, marks, place);
  return [graph(), uses()].map((text) => Buffer.from(text).toString());
};

const refusal = (code: string, message: string): unknown =>
  expect.objectContaining({ code, message: expect.stringContaining(message) as string });

/** Of the inventory that is there. */
const signaturePath = (): string =>
  inventorySignaturePath("n1", hex(sha256(objects.get("nodes/n1/inventory.json") ?? utf8(""))));

describe("a node's inventory in a source", () => {
  it("is read as it was written, what it is made of being there before it", async () => {
    const written = await put();
    expect(await read()).toEqual(["graph\n", "uses\n"]);
    expect(written.slice(-2)).toEqual([signaturePath(), "nodes/n1/inventory.json"]);
  });

  it("writes again only what has changed, and leaves nothing of the one before", async () => {
    await put();
    const again = await put({ taken: "2026-11-25T13:00:00Z" });
    expect(again).toEqual([signaturePath(), "nodes/n1/inventory.json"]);
    await put({ taken: "2026-11-25T14:00:00Z" }, hostKey, utf8("another graph\n"));
    expect(await read()).toEqual(["another graph\n", "uses\n"]);
    expect([...objects.keys()].filter((path) => path.includes("collected"))).toHaveLength(3);
  });

  it("is cut into objects that etcd takes, however large", async () => {
    const graph = new Uint8Array(randomBytes(3 * maxPartSize));
    await put({}, hostKey, graph);
    const sizes = [...objects.values()].map(({ length }) => length);
    expect(Math.max(...sizes)).toBe(maxPartSize);
    expect((await readInventory(source, noMarks, place)).graph()).toEqual(graph);
  });

  it("is whole to who reads it between any two steps of the next one's writing", async () => {
    await put();
    const between: string[] = [];
    const watched: Source = {
      ...source,
      write: async (path, bytes) => {
        await source.write(path, bytes);
        between.push((await read()).join(""));
      },
      remove: async (path) => {
        await source.remove(path);
        between.push((await read()).join(""));
      },
    };
    await put({ taken: "2026-11-25T13:00:00Z" }, hostKey, utf8("another graph\n"), watched);
    expect(between).toEqual([
      // A part, the signature, the inventory; then what was before, which is two objects.
      ...["graph\nuses\n", "graph\nuses\n", "another graph\nuses\n"],
      ...["another graph\nuses\n", "another graph\nuses\n"],
    ]);
  });

  it("is read again where the next one came while it was read", async () => {
    await put();
    let isFirst = true;
    const overtaken: Source = {
      ...source,
      read: async (path, maxBytes) => {
        const bytes = await source.read(path, maxBytes);
        if (isFirst && path.endsWith("inventory.json")) {
          isFirst = false;
          await put({ taken: "2026-11-25T13:00:00Z" }, hostKey, utf8("another graph\n"));
        }
        return bytes;
      },
    };
    const { graph, record } = await readInventory(overtaken, noMarks, place);
    expect(Buffer.from(graph()).toString()).toBe("another graph\n");
    expect(record.taken).toBe("2026-11-25T13:00:00Z");
  });

  it("is none where there is none, or only half", async () => {
    await expect(read()).rejects.toThrow(refusal("inventory/absent", "no inventory of n1"));
    await put();
    objects.delete(signaturePath());
    await expect(read()).rejects.toThrow(
      refusal("signature/invalid", "no signature of the inventory of n1"),
    );
  });

  it("is refused from any other key, also for another purpose", async () => {
    await put({}, stranger);
    await expect(read()).rejects.toThrow(refusal("inventory/foreign", "is signed by SHA256:"));
    await put();
    const card = hostKey.sign("card", objects.get("nodes/n1/inventory.json") ?? utf8(""));
    objects.set(signaturePath(), card);
    await expect(read()).rejects.toThrow(refusal("signature/invalid", "card@sealaunch"));
  });

  it("is refused as another node's or another cluster's, though that host key signed it", async () => {
    await put({ node: "n2" });
    await expect(read()).rejects.toThrow(refusal("inventory/foreign", "says that it is of n2"));
    await put({ cluster: "f".repeat(32) });
    await expect(read()).rejects.toThrow(refusal("inventory/foreign", "in cluster ffff"));
  });

  it("is refused when it is an older one than was seen, or another of the same time", async () => {
    const marks = openMarks(state);
    await put();
    await read(marks);
    await put({ taken: "2026-11-25T11:59:59Z" });
    await expect(read(marks)).rejects.toThrow(refusal("mark/rolled-back", "inventory of n1"));
    await put({ paths: 2 });
    await expect(read(marks)).rejects.toThrow(refusal("mark/equivocation", "inventory of n1"));
    await put({ taken: "2026-11-25T12:00:01Z" });
    expect(await read(marks)).toEqual(["graph\n", "uses\n"]);
  });

  it("is refused where a part is gone, another, or more than it says", async () => {
    await put();
    const [first = ""] = pack(utf8("graph\n")).packed.parts;
    objects.delete(collectedPath("n1", first));
    await expect(read()).rejects.toThrow(refusal("inventory/malformed", "isn't there"));
    objects.set(collectedPath("n1", first), utf8("other bytes"));
    await expect(read()).rejects.toThrow(refusal("inventory/malformed", "is another"));
    // A gigabyte of zeros in 30 KB, of which it says that it is six bytes.
    const bomb = pack(new Uint8Array(200 * 1024 * 1024)).packed;
    await put({ graph: { ...bomb, size: 6 } }, hostKey, new Uint8Array(200 * 1024 * 1024));
    await expect(read()).rejects.toThrow(refusal("inventory/malformed", "its text is another"));
    await put({ graph: { ...bomb, size: 2 ** 40 } }, hostKey, new Uint8Array(200 * 1024 * 1024));
    await expect(read()).rejects.toThrow(refusal("inventory/malformed", "it says that it has"));
  });
});
