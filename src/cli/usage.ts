import type { CommanderError } from "commander";
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
