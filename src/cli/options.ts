import { InvalidArgumentError } from "commander";

/** For options that may be repeated: every value, in the order given. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** For options that are a number from 1. */
export function count(value: string): number {
  if (/^[1-9][0-9]{0,5}$/u.test(value)) return Number(value);
  throw new InvalidArgumentError("It must be a number from 1.");
}
