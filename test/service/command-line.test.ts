import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCommandLine, type Command } from "../../src/service/command-line.ts";
import { quote, quoteWord } from "../../src/service/quoting.ts";
import { refusal } from "../fixtures/refusal.ts";

/** A command as text, one string a word; bytes that are no text as `\xNN`. */
function shown({ prefix, program, words }: Command): string[] {
  return [prefix, program, ...words.map(({ bytes }) => Buffer.from(bytes).toString("latin1"))];
}
const parse = (line: string): string[][] => parseCommandLine(line, "ExecStart=").map(shown);

describe("a command line", () => {
  it.for([
    ["words and blanks", "/bin/a b \t c", [["", "/bin/a", "b", "c"]]],
    ["quotes anywhere in a word", `/bin/a 'b c'd" e" ''`, [["", "/bin/a", "b cd e", ""]]],
    [
      "escapes in and out of quotes",
      String.raw`/bin/a \x41\101\s\\ "\n\"" '\t'`,
      [["", "/bin/a", "AA \\", '\n"', "\t"]],
    ],
    [
      "escapes of bytes and of characters",
      String.raw`/bin/a \xff \u00fc`,
      [["", "/bin/a", "\u00ff", "\u00c3\u00bc"]],
    ],
    ["what is no escape", String.raw`/bin/a \q \x4 '\w'`, [["", "/bin/a", "\\q", "\\x4", "\\w"]]],
    [
      "several commands",
      String.raw`/bin/a ; -b x \; y ";" ;c`,
      [
        ["", "/bin/a"],
        ["-", "b", "x", ";", "y", ";", ";c"],
      ],
    ],
    ["an end that ends nothing", "/bin/a ;", [["", "/bin/a"]]],
    ["prefixes in any order", "-@:+/bin/a name", [["-@:+", "/bin/a", "name"]]],
    ["both privilege prefixes", "!!/bin/a", [["!!", "/bin/a"]]],
    ["a quoted program with a prefix", '"-/bin/a b" c', [["-", "/bin/a b", "c"]]],
    [
      "specifiers and variables as they are",
      "/bin/a %i %% $$ ${B} $C",
      [["", "/bin/a", "%i", "%%", "$$", "${B}", "$C"]],
    ],
    ["nothing", "", []],
  ] as const)("has %s", ([, line, commands]) => {
    expect(parse(line)).toEqual(commands);
  });

  it.for([
    ["an open quote", "/bin/a 'b"],
    ["a directory", "/bin/"],
    ["a relative path", "bin/a"],
    ["nothing but prefixes", "-@"],
    ["a program with a quote in it", String.raw`"/bin/\"a"`],
    ["'+' and '!' together", "+!/bin/a"],
    ["'@' without a name", "@/bin/a"],
    ["a program that is no UTF-8", String.raw`/bin/\xff`],
  ])("is refused with %s", async ([, line = ""]) => {
    expect(await refusal(() => parseCommandLine(line, "ExecStart="))).toBe("unit/malformed");
  });

  it("keeps what follows the program as it stands", () => {
    const [first, second] = parseCommandLine(String.raw`/bin/a  "b"\x20 ; /bin/c   $D \;  `, "");
    expect(first?.words.map(({ raw }) => raw)).toEqual([String.raw`  "b"\x20`]);
    expect(second?.words.map(({ raw }) => raw)).toEqual(["   $D", String.raw` \;`]);
  });
});

describe("a quoted word", () => {
  const text = fc.string({ unit: "binary" }).filter((one) => !one.includes("\0"));

  it("is read as what it was", () => {
    fc.assert(
      fc.property(fc.array(text), (words) => {
        const line = ["/bin/a", ...words.map(quote)].join(" ");
        expect(line).not.toMatch(/[\n\r]/u);
        const [command] = parseCommandLine(line, "");
        expect(command?.words.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(words);
      }),
    );
  });

  it("has no specifier and no variable", () => {
    fc.assert(
      fc.property(text, (word) => {
        const [command] = parseCommandLine(`/bin/a ${quoteWord(word)}`, "");
        const read = Buffer.from(command?.words[0]?.bytes ?? []).toString();
        expect(read.replaceAll("%%", "").replaceAll("$$", () => "")).not.toMatch(/[%$]/u);
        expect(read.replaceAll("%%", "%").replaceAll("$$", () => "$")).toBe(word);
      }),
    );
  });
});
