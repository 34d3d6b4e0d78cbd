import type { Command } from "commander";
import { bashCompletion } from "./completion-bash.ts";
import { fishCompletion } from "./completion-fish.ts";
import { zshCompletion } from "./completion-zsh.ts";
import { addGuidance, firstSentence } from "./guidance.ts";

// Of our own: those of the package that knows the words complete no files where none of them fits.
const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** `completion`: what makes a shell complete commands and options. */
export function addCompletion(program: Command): void {
  const command = program
    .command("completion")
    .description("Print what makes a shell complete the words of this program's commands.")
    .addArgument(program.createArgument("<shell>", "the shell").choices(Object.keys(scripts)));
  addGuidance(command, {
    examples: [
      "sealaunch completion bash",
      "sealaunch completion zsh",
      "sealaunch completion fish",
    ],
    runsOn: "anywhere",
    needs: "nothing",
  });
  command.action((shell: keyof typeof scripts) => {
    process.stdout.write(scripts[shell]);
  });
}

/**
 * Prints what may follow the words that somebody has typed, for the scripts of `completion`, which call
 * `sealaunch complete -- WORD…`.
 */
export async function complete(program: Command, words: readonly string[]): Promise<void> {
  const { default: tab } = await import("@bomb.sh/tab/commander");
  // A suggestion is one line.
  shorten(program);
  const described = tab(program, { completionCommandName: hidden });
  described.commands.delete(hidden);
  described.parse([...words]);
}

function shorten(command: Command): void {
  command.description(firstSentence(command));
  for (const inner of command.commands) shorten(inner);
}

/** The package adds a command of its own to the program that it describes. */
const hidden = "completion-script";
