import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { emptyNames, entries, floor, owners, pureModules, rooms } from "../script/rooms.ts";
import { filesBelow, importsOf, textOfFile } from "./source.ts";

const sources = filesBelow("src", ".ts");
const names = Object.keys(rooms);

/** The room of a file: its first folder, or for an entry or the floor its own name. */
function roomOf(file: string): string {
  return file.includes("/") ? (file.split("/")[0] ?? "") : basename(file, ".ts");
}

function isFloor(file: string): boolean {
  return (floor as readonly string[]).includes(roomOf(file));
}

/** Rooms reachable by arrows from one, lazily too. */
function below(room: string, seen = new Set<string>()): Set<string> {
  for (const next of [...(rooms[room]?.imports ?? []), ...(rooms[room]?.loadsLazily ?? [])]) {
    if (seen.has(next)) continue;
    seen.add(next);
    below(next, seen);
  }
  return seen;
}

describe("the rooms of src/", () => {
  it("are all in the table, and the table has no others", () => {
    const found = new Set(sources.filter((file) => !isFloor(file)).map(roomOf));
    const known = names.filter((room) => !(entries as readonly string[]).includes(room));
    expect([...found].filter((room) => !names.includes(room))).toEqual([]);
    expect(known.filter((room) => !found.has(room))).toEqual([]);
  });

  it.for(names)("no arrow leads back to %s", (room) => {
    expect([...below(room)]).not.toContain(room);
  });
});

describe("the files of src/", () => {
  it("form no circle, not even of types", () => {
    const ended = new Set<string>();
    const circles: string[] = [];
    const follow = (file: string, way: readonly string[]): void => {
      if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(" -> "));
      if (ended.has(file) || way.includes(file)) return;
      for (const { target, isOurs, isLazy } of importsOf(file))
        if (isOurs && !isLazy && sources.includes(target)) follow(target, [...way, file]);
      ended.add(file);
    };
    for (const file of sources) follow(file, []);
    expect(circles).toEqual([]);
  });
});

describe.for(sources)("src/%s", (file) => {
  const room = roomOf(file);
  const imports = importsOf(file);
  const ours = imports.filter((one) => one.isOurs && roomOf(one.target) !== room);

  it("imports only what its room may", () => {
    const allowed = rooms[room]?.imports ?? [];
    const lazily = rooms[room]?.loadsLazily ?? [];
    const refused = ours
      .filter((one) => !isFloor(one.target) && !one.target.startsWith(".."))
      .filter(({ target, isLazy, isTypeOnly }) => {
        if (allowed.includes(roomOf(target))) return false;
        if (rooms[room]?.files?.includes(target) === true) return false;
        return !(lazily.includes(roomOf(target)) && (isLazy || isTypeOnly));
      });
    expect(refused).toEqual([]);
  });

  it("imports a dependency only if it owns it", () => {
    const refused = imports.filter(({ target, isOurs }) => {
      if (isOurs || target.startsWith("node:")) return false;
      const owner = owners[target];
      return owner !== file && owner !== room;
    });
    expect(refused).toEqual([]);
  });

  it("touches the world only if its room does", () => {
    const foreign = imports
      .map(({ target }) => target)
      .filter((target) => target.startsWith("node:"))
      .filter((target) => !(pureModules as readonly string[]).includes(target));
    if (isFloor(file)) expect(imports).toEqual([]);
    else if (rooms[room]?.isPure === true) expect(foreign).toEqual([]);
    else expect(foreign).not.toContain("node:process");
  });

  it("has a name that says something, and at most 300 lines", () => {
    for (const part of [...dirname(file).split("/"), basename(file, ".ts")])
      expect(part).not.toMatch(emptyNames);
    // One table is one table, however many rows it has.
    if (file === "failure.ts") return;
    expect(textOfFile(join("src", file)).split("\n").length).toBeLessThanOrEqual(301);
  });
});

describe("a command", () => {
  it("needs none that needs it", () => {
    const verbOf = (file: string): string => file.split("/").slice(1, -1).join("/");
    const needs = new Set(
      sources
        .filter((file) => roomOf(file) === "commands")
        .flatMap((file) =>
          importsOf(file)
            .filter(({ target, isOurs }) => isOurs && roomOf(target) === "commands")
            .map(({ target }) => [verbOf(file), verbOf(target)])
            .filter(([from, to]) => from !== to)
            .map((pair) => pair.join(" -> ")),
        ),
    );
    const back = [...needs].filter((need) =>
      needs.has(need.split(" -> ").toReversed().join(" -> ")),
    );
    expect(back).toEqual([]);
  });

  it.for(filesBelow("src/commands", ".ts"))("%s is a recipe of at most 150 lines", (file) => {
    expect(textOfFile(join("src/commands", file)).split("\n").length).toBeLessThanOrEqual(151);
  });
});

describe("a folder", () => {
  const folders = [...new Set(filesBelow("src", ".ts").map((file) => dirname(file)))];
  it.for(folders)("src/%s has at most 40 files, as many as one takes in at a look", (folder) => {
    const files = filesBelow("src", ".ts").filter((file) => dirname(file) === folder);
    expect(files.length).toBeLessThanOrEqual(40);
  });
});

describe("a test", () => {
  it.for(filesBelow("test", ".ts").filter((file) => file !== "architecture.test.ts"))(
    "%s uses the real thing",
    (file) => {
      expect(textOfFile(join("test", file))).not.toMatch(/\bvi\.|\bnock\b|\bsinon\b/u);
    },
  );
});
