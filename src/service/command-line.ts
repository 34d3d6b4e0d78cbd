import { Failure } from "../failure.ts";
import { isEnd, nextWord, skipBlanks } from "./words.ts";

// systemd's own reading of ExecStart= and its kin (systemd.service(5), Command lines): prefixes, words
// in quotes, C escapes, several commands in one line. Specifiers (%i) and variables (${VAR}) are
// resolved later, and stay in the words as they are.

/** One word of a command line. */
export interface Word {
  /** What it means, in bytes: an escape may stand for one that is no text. */
  readonly bytes: Uint8Array;
  /** As it stands, with the blanks before it: so it needn't be quoted anew. */
  readonly raw: string;
}

/** One command of a line. */
export interface Command {
  /** `-`, `@`, `:`, `+`, `!`, `!!` as they stand before the program. */
  readonly prefix: string;
  /** The program, by absolute path or name, without its prefix. */
  readonly program: string;
  /** The words after it; with `@` the first is the program's name for itself. */
  readonly words: readonly Word[];
}

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
    at = first.next;
    let end = first.end;
    let continues = false;
    while (at < line.length) {
      if (line[at] === ";" && isEnd(line, at + 1)) {
        at = skipBlanks(line, at + 1);
        continues = true;
        break;
      }
      if (line.startsWith("\\;", at) && isEnd(line, at + 2)) {
        words.push({ bytes: Buffer.from(";"), raw: line.slice(end, at + 2) });
        end = at + 2;
        at = skipBlanks(line, end);
        continue;
      }
      const word = nextWord(line, at);
      if (word === undefined) break;
      if (word === "unbalanced") throw refuse("a quote isn't closed");
      words.push({ bytes: word.bytes, raw: line.slice(end, word.end) });
      end = word.end;
      at = word.next;
    }
    if (prefix.includes("@") && words.length === 0) throw refuse("'@' without a name");
    commands.push({ prefix, program, words });
    if (!continues) return commands;
  }
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

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
