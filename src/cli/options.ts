import { InvalidArgumentError, type Command } from "commander";

/** For options that may be repeated: every value, in the order given. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** For options that are a number from 1. */
export function count(value: string): number {
  if (/^[1-9][0-9]{0,5}$/u.test(value)) return Number(value);
  throw new InvalidArgumentError("It must be a number from 1.");
}

/** The options of what changes trust: it shows the change, and asks. */
export function changing(command: Command): Command {
  return command
    .option("--signer <key.pub>", "the key to sign with, where you hold several")
    .option("--yes", "sign without asking", false);
}
