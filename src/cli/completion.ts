import type { Command } from "commander";
import { bashCompletion } from "./completion-bash.ts";
import { addGuidance, firstSentence } from "./guidance.ts";

const shells = ["bash", "zsh", "fish"] as const;

/** `completion`: what makes a shell complete commands and options. */
export function addCompletion(program: Command): void {
  const command = program
    .command("completion")
    .description("Print what makes a shell complete the words of this program's commands.")
    .addArgument(program.createArgument("<shell>", "the shell").choices(shells));
  addGuidance(command, {
    examples: [
      "sealaunch completion bash",
      "sealaunch completion zsh",
      "sealaunch completion fish",
    ],
    runsOn: "anywhere",
    needs: "nothing",
  });
  command.action(async (shell: (typeof shells)[number]) => {
    if (shell === "bash") process.stdout.write(bashCompletion);
    else (await describe(program)).setup(program.name(), program.name(), shell);
  });
}

/**
 * Prints what may follow the words that somebody has typed, for the scripts of `completion`, which call
 * `sealaunch complete -- WORD…`.
 */
export async function complete(program: Command, words: readonly string[]): Promise<void> {
  (await describe(program)).parse([...words]);
}

async function describe(program: Command): Promise<import("@bomb.sh/tab").RootCommand> {
  const { default: tab } = await import("@bomb.sh/tab/commander");
  // A suggestion is one line.
  shorten(program);
  const described = tab(program, { completionCommandName: hidden });
  described.commands.delete(hidden);
  return described;
}

function shorten(command: Command): void {
  command.description(firstSentence(command));
  for (const inner of command.commands) shorten(inner);
}

/** The package adds a command of its own to the program that it describes. */
const hidden = "completion-script";
