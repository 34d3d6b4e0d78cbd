import { Failure } from "../failure.ts";

// systemd's own reading of ExecStart= and its kin (systemd.service(5), Command lines): prefixes, words
// in quotes, C escapes, several commands in one line. Specifiers (%i) and variables (${VAR}) are
// resolved later, and stay in the words as they are.

/** One word of a command line. */
export interface Word {
  /** What it means, in bytes: an escape may stand for one that is no text. */
  readonly bytes: Uint8Array;
}

/** One command of a line. */
export interface Command {
  /** `-`, `@`, `:`, `+`, `!`, `!!` as they stand before the program. */
  readonly prefix: string;
  /** The program, by absolute path or name, without its prefix. */
  readonly program: string;
  /** The words after it; with `@` the first is the program's name for itself. */
  readonly words: readonly Word[];
  /** As they stand, from the blank before the first on: nothing has to be quoted anew. */
  readonly rest: string;
}

const escapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  "\\": 0x5c,
  '"': 0x22,
  "'": 0x27,
  s: 0x20,
};

const isBlank = (character: string | undefined): boolean =>
  character !== undefined && " \t\n\r".includes(character);

/**
 * The commands in a line.
 *
 * @param what - names the line in the message
 * @throws Failure `unit/malformed` for what systemd would pass over with a warning, or refuse
 */
export function parseCommandLine(line: string, what: string): Command[] {
  const commands: Command[] = [];
  const refuse = (reason: string): Failure => new Failure("unit/malformed", `${what}: ${reason}`);
  let at = 0;
  for (;;) {
    const first = nextWord(line, at);
    if (first === undefined) return commands;
    if (first === "unbalanced") throw refuse("a quote isn't closed");
    const text = decode(first.bytes);
    if (text === undefined) throw refuse("the program's path is no UTF-8");
    const { prefix, program } = splitPrefix(text);
    if (!isProgram(program)) throw refuse(`${JSON.stringify(program.slice(0, 100))} is no program`);
    const words: Word[] = [];
    const from = first.end;
    at = first.next;
    let end = from;
    let continues = false;
    while (at < line.length) {
      if (line[at] === ";" && isEnd(line, at + 1)) {
        at = skipBlanks(line, at + 1);
        continues = true;
        break;
      }
      if (line.startsWith("\\;", at) && isEnd(line, at + 2)) {
        words.push({ bytes: Buffer.from(";") });
        end = at + 2;
        at = skipBlanks(line, end);
        continue;
      }
      const word = nextWord(line, at);
      if (word === undefined) break;
      if (word === "unbalanced") throw refuse("a quote isn't closed");
      words.push({ bytes: word.bytes });
      end = word.end;
      at = word.next;
    }
    if (prefix.includes("@") && words.length === 0) throw refuse("'@' without a name");
    commands.push({ prefix, program, words, rest: line.slice(from, end) });
    if (!continues) return commands;
  }
}

interface Found {
  readonly bytes: Uint8Array;
  /** Where it ends. */
  readonly end: number;
  /** Where the next one begins. */
  readonly next: number;
}

/** The word from `from` on; undefined if there is none. */
function nextWord(line: string, from: number): Found | "unbalanced" | undefined {
  let at = skipBlanks(line, from);
  if (at >= line.length) return undefined;
  const parts: Uint8Array[] = [];
  let quote = "";
  for (; at < line.length; at++) {
    const character = line[at] ?? "";
    if (character === "\\") {
      const escape = readEscape(line, at + 1);
      if (escape !== undefined) {
        parts.push(escape.bytes);
        at += escape.length;
      } else {
        // A backslash that begins no escape stands for itself, and so does what follows it.
        parts.push(Buffer.from("\\"));
        if (at + 1 < line.length) at = takeCharacter(line, at + 1, parts);
      }
    } else if (quote !== "") {
      if (character === quote) quote = "";
      else at = takeCharacter(line, at, parts);
    } else if (character === "'" || character === '"') {
      quote = character;
    } else if (isBlank(character)) {
      break;
    } else {
      at = takeCharacter(line, at, parts);
    }
  }
  if (quote !== "") return "unbalanced";
  return { bytes: Buffer.concat(parts), end: at, next: skipBlanks(line, at) };
}

/** Adds the whole character at `at`, which may be of two UTF-16 units; where its last one is. */
function takeCharacter(line: string, at: number, parts: Uint8Array[]): number {
  const character = String.fromCodePoint(line.codePointAt(at) ?? 0);
  parts.push(Buffer.from(character));
  return at + character.length - 1;
}

/** The escape after a backslash; undefined for what is none. */
function readEscape(line: string, at: number): { bytes: Uint8Array; length: number } | undefined {
  const single = escapes[line[at] ?? ""];
  if (single !== undefined) return { bytes: Uint8Array.of(single), length: 1 };
  const rest = line.slice(at, at + 9);
  const [digits = "", hex, short, long, octal] =
    /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/u.exec(rest) ?? [];
  if (digits === "") return undefined;
  const unicode = short ?? long;
  const code = octal === undefined ? parseInt(hex ?? unicode ?? "", 16) : parseInt(octal, 8);
  if (code === 0) return undefined;
  if (unicode === undefined) {
    return code > 255 ? undefined : { bytes: Uint8Array.of(code), length: digits.length };
  }
  const isCharacter = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  if (!isCharacter) return undefined;
  return { bytes: Buffer.from(String.fromCodePoint(code)), length: digits.length };
}

/** Each prefix once; `+`, `!` and `!!` exclude each other. */
function splitPrefix(word: string): { prefix: string; program: string } {
  let prefix = "";
  for (const character of word) {
    const isTaken = prefix.includes(character);
    const hasPrivilege = /[+!]/u.test(prefix);
    const isPrefix =
      ("-@:".includes(character) && !isTaken) ||
      (character === "+" && !hasPrivilege) ||
      (character === "!" && !prefix.includes("+") && !prefix.includes("!!"));
    if (!isPrefix) break;
    prefix += character;
  }
  // "!-!" is "!!" to systemd.
  if (/![^!]+!/u.test(prefix)) prefix = `${prefix.replaceAll("!", "")}!!`;
  return { prefix, program: word.slice(prefix.length) };
}

function isProgram(path: string): boolean {
  // What systemd calls unsafe, and what it takes neither as an absolute path nor as a file's name.
   
  if (path === "" || /[\u0000-\u001f"'\\\u007f]/u.test(path) || path.endsWith("/")) return false;
  return path.startsWith("/") || (!path.includes("/") && path !== "." && path !== "..");
}

function isEnd(line: string, at: number): boolean {
  return at >= line.length || isBlank(line[at]);
}

function skipBlanks(line: string, at: number): number {
  while (at < line.length && isBlank(line[at])) at++;
  return at;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
