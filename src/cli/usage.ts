import type { Command, CommanderError } from "commander";
import { Failure } from "../failure.ts";

/**
 * Commander's error as a failure of ours, with what it suggests in the hint. Arguments that may be
 * secrets are not repeated: of an option only its name, of what is too much only how many.
 *
 * @param command - the words up to the command that refused, `sealaunch roster`
 */
export function usageFailure(
  error: CommanderError,
  command: string,
  subcommands: readonly string[],
): Failure {
  const help = `see '${command} --help'`;
  if (error.code === "commander.help") {
    return new Failure(
      "usage/invalid",
      `'${command}' needs one more word: ${subcommands.join(", ")}`,
      help,
    );
  }
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const suggestion = /Did you mean (?:one of )?(.+)\?/.exec(rest.join(" "))?.[1];
  return new Failure(
    "usage/invalid",
    withoutValues(first, error.code),
    suggestion === undefined ? help : `did you mean ${suggestion}? ${help}`,
  );
}

/**
 * Returns if no option was given an empty word, as a shell gives for a variable that isn't set. As a path it
 * would be this directory.
 *
 * @param command - the one that is about to run, its options read
 * @throws Failure `usage/invalid`
 */
export function refuseEmptyOptions(command: Command): void {
  for (let one: Command | null = command; one !== null; one = one.parent) {
    for (const option of one.options) {
      const value: unknown = one.getOptionValue(option.attributeName());
      if (![value].flat().includes("")) continue;
      throw new Failure(
        "usage/invalid",
        `${option.long ?? option.flags} is given an empty word`,
        "a shell gives one for a variable that isn't set: set it, or leave the option out",
      );
    }
  }
}

function withoutValues(message: string, code: string): string {
  if (code === "commander.unknownOption") {
    const option = message.slice(message.indexOf("'") + 1, message.lastIndexOf("'"));
    const name = /^--[a-z-]+|^-[^-]/u.exec(option)?.[0] ?? "";
    return name === "" ? "unknown option" : `unknown option ${name}`;
  }
  if (code === "commander.excessArguments") {
    const [, where = "", expected = "", got = ""] =
      /^too many arguments(?: for '(.*?)')?\. Expected (\d+) arguments? but got (\d+)/.exec(
        message,
      ) ?? [];
    return `too many arguments${where === "" ? "" : ` for ${where}`}: ${expected} expected, ${got} given`;
  }
  return message.replace(/\.$/, "");
}
