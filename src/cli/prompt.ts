import { Failure } from "../failure.ts";
import { printable } from "../printable.ts";

// Questions go to standard error, so that standard output can go to a file or another program.

/** @throws Failure `usage/invalid` unless there is a person at a terminal to ask */
function requirePerson(question: string, hint: string): void {
  if (process.stdin.isTTY && process.stderr.isTTY) return;
  throw new Failure("usage/invalid", `there is no terminal to ask at: ${question}`, hint);
}

/** Runs a prompt until its answer; the end of input and Ctrl-C are a no. */
async function ask<T>(
  hint: string,
  prompt: (world: { output: NodeJS.WritableStream; signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  // At the end of input (Ctrl-D) the prompt waits for ever, and Node would end with nothing to do.
  const end = (): void => {
    ending.abort();
  };
  process.once("beforeExit", end);
  try {
    return await prompt({ output: process.stderr, signal: ending.signal });
  } catch (error) {
    if (error instanceof Error && /^(?:Exit|Abort)PromptError$/u.test(error.name)) {
      throw new Failure("usage/declined", "the prompt was left without an answer", hint, error);
    }
    throw error;
  } finally {
    process.off("beforeExit", end);
  }
}

const yesHint = "look at what it would change, then say --yes";
const valueHint = "give it by file (NAME=FILE) or on standard input (NAME=-)";

/** Returns if the person says yes. @throws Failure `usage/invalid`, `usage/declined` */
export async function askConfirmation(question: string): Promise<void> {
  requirePerson(question, yesHint);
  const { default: confirm } = await import("@inquirer/confirm");
  const message = printable(question);
  if (await ask(yesHint, (world) => confirm({ message, default: false }, world))) return;
  throw new Failure("usage/declined", "nothing was changed: the answer was no");
}

/** One line typed without echo. @throws Failure `usage/invalid`, `usage/declined` */
export async function askSecret(question: string): Promise<Uint8Array> {
  requirePerson(question, valueHint);
  const { default: password } = await import("@inquirer/password");
  const message = `${printable(question)} (one line):`;
  const text = await ask(valueHint, (world) => password({ message, toggleMask: false }, world));
  return new TextEncoder().encode(text);
}
