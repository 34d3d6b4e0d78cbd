import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeEntry } from "../../src/scan/store/graph-form.ts";
import { graphOfList } from "../../src/scan/store/graph.ts";
import { readList } from "../../src/scan/store/list.ts";
import { createStoreTable } from "../../src/scan/store/table.ts";
import { closureOf, traceUp } from "../../src/scan/store/trace.ts";
import { dumpOf, graphOf, readGraph, storePath } from "./stores.ts";

/** Any references between ten names, cycles and all. */
const anyReferences = fc
  .array(fc.array(fc.nat({ max: 9 }), { maxLength: 5 }), { minLength: 10, maxLength: 10 })
  .map((lists) =>
    Object.fromEntries(
      lists.map((list, at) => [`p${String(at)}`, [...new Set(list)].map((to) => `p${String(to)}`)]),
    ),
  );

/** How far each name is from `target`, by trying again and again. */
function distancesTo(
  references: Readonly<Record<string, readonly string[]>>,
  target: string,
): ReadonlyMap<string, number> {
  const far = new Map([[target, 0]]);
  for (let round = 0; round < 10; round++) {
    for (const [name, needs] of Object.entries(references)) {
      const next = Math.min(...needs.map((need) => far.get(need) ?? Infinity)) + 1;
      if (next < (far.get(name) ?? Infinity)) far.set(name, next);
    }
  }
  return far;
}

describe("a list of a store's paths", () => {
  it("is read as nix-store --dump-db writes it", () => {
    const graph = graphOf({ "dns-1": ["openssl-3.0.7", "dns-1"], "openssl-3.0.7": [] });
    const dns = graph.placeOf(storePath("dns-1")) ?? -1;
    const openssl = graph.placeOf(storePath("openssl-3.0.7")) ?? -1;
    expect(graph.size).toBe(2);
    expect(graph.pathAt(dns)).toBe(storePath("dns-1"));
    expect([...graph.references(dns)]).toEqual([openssl]);
    expect([...graph.referrers(openssl)]).toEqual([dns]);
    expect(graph.skipped).toBe(0);
  });

  it("is the same without hash and size, as nix-store --register-validity reads it", () => {
    fc.assert(
      fc.property(anyReferences, (references) => {
        const entries = Object.entries(references).map(([name, needs]) =>
          writeEntry({ path: storePath(name), references: needs.map(storePath) }),
        );
        const short = readGraph(entries.join(""), "registration");
        const long = graphOf(references);
        for (let place = 0; place < 10; place++) {
          expect(short.pathAt(place)).toBe(long.pathAt(place));
          expect([...short.references(place)]).toEqual([...long.references(place)]);
        }
      }),
    );
  });

  it("names the derivations that lists say made a path, eight of them and no other files", () => {
    const table = createStoreTable();
    const list = dumpOf({ a: [] });
    const deriver = storePath("a.drv");
    for (const other of ["b.drv", "../../etc/shadow", "c", "/etc/a.drv", "", "a.drv", "b.drv"]) {
      const named = other.endsWith(".drv") && !other.includes("/") ? storePath(other) : other;
      readList(list.replace(deriver, named), "dump", table, "a store");
    }
    expect(table.deriversOf(table.find(storePath("a")) ?? -1)).toEqual([
      storePath("b.drv"),
      deriver,
    ]);
    for (let number = 0; number < 20; number++)
      readList(list.replace(deriver, storePath(`${String(number)}.drv`)), "dump", table, "it");
    expect(table.deriversOf(0)).toHaveLength(8);
  });

  it("is four bytes a path, however many machines have it", () => {
    const table = createStoreTable();
    const text = dumpOf({ a: ["b"], b: [] });
    const [first, second] = [text, text].map((one) => readList(one, "dump", table, "a store"));
    const third = readList(dumpOf({ a: [], b: [] }), "dump", table, "a store");
    expect(table.size).toBe(2);
    expect(first?.entries).toEqual(second?.entries);
    // The same path, which refers to something else there.
    expect(third.entries[0]).not.toBe(first?.entries[0]);
    expect(third.entries[1]).toBe(first?.entries[1]);
    expect([...graphOfList(third, table).references(0)]).toEqual([]);
  });

  it.for([
    ["text that is none", "hello\n", "line 1: no store path begins an entry there"],
    ["a list that is cut short", dumpOf({ a: ["b"] }).slice(0, -3), "line 6: it is cut short"],
    ["a number that is none", dumpOf({ a: [] }).replace("\n0\n", "\n-1\n"), "line 5"],
    ["a claim of more than there is", dumpOf({ a: [] }).replace("\n0\n", "\n999999\n"), "line 5"],
    ["JSON", '{"paths":[]}\n', "line 1"],
  ])("is refused by its line: %s", ([, text = "", where = ""]) => {
    expect(() => readGraph(text)).toThrow(
      expect.objectContaining({
        code: "inventory/malformed",
        message: expect.stringMatching(`^a store, ${where}`) as string,
      }),
    );
  });

  it.for([
    ["a path outside the store", "/etc/passwd"],
    ["a path below a store path", `${storePath("a")}/bin`],
    ["a name with a blank", `${storePath("a")} b`],
    ["a hash with a letter that Nix doesn't use", `/nix/store/${"e".repeat(32)}-a`],
    ["bytes that are no text", `/nix/store/${"0".repeat(32)}-\xff\xfe`],
    ["a name of a thousand letters", storePath("a".repeat(1000))],
  ])("leaves out, and counts: %s", ([, path = ""]) => {
    const graph = readGraph(`${dumpOf({ a: [] })}${path}\n\n\n\n1\n${storePath("a")}\n`);
    expect(graph.size).toBe(1);
    expect(graph.skipped).toBe(1);
  });

  it("leaves out doubles, and references to what isn't there", () => {
    const graph = readGraph(dumpOf({ a: ["missing"] }) + dumpOf({ a: ["b"] }) + dumpOf({ b: [] }));
    expect(graph.size).toBe(2);
    expect([graph.skipped, graph.dangling]).toEqual([1, 1]);
    expect([...graph.references(0)]).toEqual([]);
  });

  it("may have names that mean something to JavaScript", () => {
    const graph = graphOf({ constructor: ["toString"], toString: ["constructor"] });
    expect(graph.size).toBe(2);
    expect(graph.placeOf("__proto__")).toBeUndefined();
    expect(graph.placeOf(storePath("constructor"))).toBe(0);
  });
});

describe("the way up from a path", () => {
  it("is found from everything that needs it, and is one of the shortest", () => {
    fc.assert(
      fc.property(anyReferences, (references) => {
        const graph = graphOf(references);
        const target = graph.placeOf(storePath("p0")) ?? -1;
        const trace = traceUp(graph, target);
        const expected = distancesTo(references, "p0");
        for (const name of Object.keys(references)) {
          const place = graph.placeOf(storePath(name)) ?? -1;
          const chain = trace.chainFrom(place);
          expect(trace.distance(place)).toBe(expected.get(name));
          expect(chain.length).toBe((expected.get(name) ?? -1) + 1);
          if (chain.length === 0) continue;
          expect([chain[0], chain.at(-1)]).toEqual([place, target]);
          for (const [at, from] of chain.slice(0, -1).entries())
            expect([...graph.references(from)]).toContain(chain[at + 1]);
        }
      }),
    );
  });

  it("and what it needs itself are each other's reverse", () => {
    fc.assert(
      fc.property(anyReferences, (references) => {
        const graph = graphOf(references);
        for (let start = 0; start < graph.size; start++) {
          const closure = new Set(closureOf(graph, [start]));
          for (let target = 0; target < graph.size; target++)
            expect(traceUp(graph, target).reaches(start)).toBe(closure.has(target));
        }
      }),
    );
  });

  it("is found through a hundred thousand paths, each of which needs the next and the first", () => {
    const names = Array.from({ length: 100_000 }, (_, at) => `p${String(at)}`);
    const references = Object.fromEntries(
      names.map((name, at) => [name, [names[at + 1] ?? "p0", "p0"]]),
    );
    const graph = graphOf(references);
    const last = graph.placeOf(storePath("p99999")) ?? -1;
    expect(traceUp(graph, last).chainFrom(0)).toHaveLength(100_000);
    expect(closureOf(graph, [last])).toHaveLength(100_000);
  });
});
