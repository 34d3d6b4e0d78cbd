import { describe, expect, it } from "vitest";
import { listOf, parseUnitFile, printUnit, valueOf } from "../../src/service/unit-file.ts";
import { refusal } from "../fixtures/refusal.ts";

const parse = (text: string): string => printUnit(parseUnitFile(text, "a.service"));

describe("a unit file", () => {
  it.for([
    ["blanks around names and values", " [S] \n\t a =  b c \r\n", "[S]\na=b c\n"],
    ["comments of both kinds", "# x\n; y\n[S]\n  # z\na=b # c\n", "[S]\na=b # c\n"],
    ["continued lines", "[S]\na=b \\\n   c\\\nd\n", "[S]\na=b  c d\n"],
    ["comments between continued lines", "[S]\na=b \\\n# x\\\n; y\n c\n", "[S]\na=b  c\n"],
    ["a continued line that an empty one ends", "[S]\na=b \\\n\nc=d\n", "[S]\na=b\nc=d\n"],
    ["a continued line that the file ends", "[S]\na=b \\", "[S]\na=b\n"],
    ["two backslashes at a line's end", "[S]\na=b\\\\\nc=d\n", "[S]\na=b\\\\\nc=d\n"],
    ["sections that come again", "[S]\na=b\n[T]\nc=d\n[S]\ne=f\n", "[S]\na=b\ne=f\n\n[T]\nc=d\n"],
    ["values with '=' in them", "[S]\na=b=c\n", "[S]\na=b=c\n"],
    ["a byte order mark", "\ufeff[S]\na=b\n", "[S]\na=b\n"],
  ] as const)("is read with %s", ([, text, printed]) => {
    expect(parse(text)).toBe(printed);
    expect(parse(printed)).toBe(printed);
  });

  it.for([
    ["without '='", "[S]\nab\na=b\n"],
    ["without a key", "[S]\n=b\na=b\n"],
    ["outside of any section", "c=d\n[S]\na=b\n"],
  ])("is read without a line %s", ([, text = ""]) => {
    expect(parse(text)).toBe("[S]\na=b\n");
  });

  it("is refused with a section that doesn't end", async () => {
    expect(await refusal(() => parse("[S\na=b\n"))).toBe("unit/malformed");
  });

  it("has lists that an empty assignment begins anew, and settings of which the last counts", () => {
    const unit = parseUnitFile("[S]\na=1\na=2\na=\na=3\n[T]\na=4\n[S]\na=5\nb=1\nb=2\nc=1\nc=", "");
    expect(listOf(unit, "S", "a")).toEqual(["3", "5"]);
    expect(listOf(unit, "S", "z")).toEqual([]);
    expect(valueOf(unit, "S", "b")).toBe("2");
    expect(valueOf(unit, "S", "c")).toBeUndefined();
  });
});
