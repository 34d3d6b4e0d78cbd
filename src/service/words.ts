// One word at a time, as systemd takes them out of a line (systemd.syntax(7), Quoting): quotes anywhere
// in a word, C escapes in and out of them.

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

/** A word, and where it stands. */
export interface Found {
  readonly bytes: Uint8Array;
  /** Where it ends. */
  readonly end: number;
  /** Where the next one begins. */
  readonly next: number;
}

/** The word from `from` on; undefined if there is none. */
export function nextWord(line: string, from: number): Found | "unbalanced" | undefined {
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

/** Whether no word goes on at `at`. */
export function isEnd(line: string, at: number): boolean {
  return at >= line.length || isBlank(line[at]);
}

/** Where the blanks from `at` on end. */
export function skipBlanks(line: string, at: number): number {
  while (at < line.length && isBlank(line[at])) at++;
  return at;
}
