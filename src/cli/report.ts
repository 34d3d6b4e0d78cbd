/**
 * The rules of the interface, for everything that Sealaunch prints:
 *
 * 1. What was asked for goes to standard output; everything else, prompts too, to standard error.
 * 2. A refusal is two lines, `error:` and `hint:`, without the program's name, or with `--json`
 *    one line of JSON. The error names the thing and both sides; the hint names what mends it.
 * 3. Programs match the code and the exit status, never the text.
 * 4. Success is silent about itself, and says what was written and what comes next.
 * 5. A secret's value is in no message, and neither is an argument that could be one.
 * 6. Nothing that comes from outside steers the terminal: control characters are escaped.
 * 7. Nobody sees a stack trace for his own input. A bug shows one, after the two lines.
 */
import { exitStatus, Failure } from "../failure.ts";
import { printable } from "../printable.ts";

/** How a run that failed ends. */
export interface Report {
  /** What goes to standard error, with its last newline. */
  readonly text: string;
  /** 64 to 78, as `docs/errors.md` has them. */
  readonly exitStatus: number;
}

const bugHint = "this is a bug in Sealaunch: report it, with the lines below";

/**
 * What to print for anything that was thrown, and the status to end with.
 *
 * @param asJson - whether for programs: one line `{"code", "message", "hint"}`
 */
export function reportError(error: unknown, asJson: boolean): Report {
  if (error instanceof Failure) {
    return {
      text: describe(error.code, error.message, error.hint, asJson),
      exitStatus: error.exitStatus,
    };
  }
  const text = describe("internal/bug", messageOfBug(error), bugHint, asJson);
  return { text: text + (asJson ? "" : traceOf(error)), exitStatus: exitStatus.bug };
}

function describe(code: string, message: string, hint: string, asJson: boolean): string {
  if (asJson) return `${printable(JSON.stringify({ code, message, hint }))}\n`;
  return `error: ${printable(shown(message))}\nhint: ${printable(shown(hint))}\n`;
}

/** More than any message of ours has that doesn't repeat what somebody gave us. */
const longestShown = 2000;

/** A message whose middle is left out where it is longer than anybody reads. */
function shown(text: string): string {
  if (text.length <= longestShown) return text;
  const half = longestShown / 2;
  const left = text.length - 2 * half;
  return `${text.slice(0, half)} [... ${String(left)} more characters ...] ${text.slice(-half)}`;
}

function messageOfBug(error: unknown): string {
  if (!(error instanceof Error)) return `internal: a ${typeof error} was thrown`;
  // Node's JSON parser quotes the text that it couldn't read, which may be a secret.
  if (error instanceof SyntaxError) return "internal: SyntaxError";
  if (error.message.startsWith("internal: ")) return error.message;
  return `internal: ${error.name}: ${error.message}`;
}

/** The frames alone: the stack's head is the message once more, unescaped. */
function traceOf(error: unknown): string {
  if (!(error instanceof Error) || error.stack === undefined) return "";
  const frames = error.stack.split("\n").filter((line) => line.startsWith("    at "));
  return frames.map((frame) => `    ${printable(frame.trim())}\n`).join("");
}
