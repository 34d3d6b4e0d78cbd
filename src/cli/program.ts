/**
 * The command line: which commands there are, and nothing of what they do.
 *
 * One file per family of commands (`seal.ts`, `roster.ts`, …) exports `addX(program)`: names,
 * options, help, and an action that loads its command only when it runs:
 *
 * ```ts
 * export function addInspect(program: Command): void {
 *   const inspect = program
 *     .command("inspect")
 *     .description("Tell who signed a bundle, who could open it and who may ask for it.")
 *     .argument("<name>", "the bundle");
 *   addGuidance(inspect, { examples: ["sealaunch inspect dns"], runsOn: "laptop", needs: "nothing" });
 *   inspect.action(async (name: string) => {
 *     const { inspect: run } = await import("../commands/inspect/inspect.ts");
 *     await run(createContext(inspect), name);
 *   });
 * }
 * ```
 */
import { Command, CommanderError } from "commander";
import packageFile from "../../package.json" with { type: "json" };
import { firstSteps } from "./first-steps.ts";
import { addAgent } from "./agent.ts";
import { addDoctor } from "./doctor.ts";
import { addCompletion, complete } from "./completion.ts";
import { firstSentence } from "./guidance.ts";
import { addIdentity } from "./identity.ts";
import { addInit } from "./init.ts";
import { addEdit } from "./edit.ts";
import { addDeploy } from "./deploy.ts";
import { addPublish } from "./publish.ts";
import { addReading } from "./read.ts";
import { addRewrap } from "./rewrap.ts";
import { addRoster } from "./roster.ts";
import { addCheck, addRun } from "./run.ts";
import { addScanning } from "./scan.ts";
import { addSeal } from "./seal.ts";
import { addSync } from "./sync.ts";
import { addSources } from "./sources.ts";
import { addStatus } from "./status.ts";
import { addUnit } from "./unit.ts";
import { refuseEmptyOptions, usageFailure } from "./usage.ts";

/** Every command there is, in the order of the help. */
const families: readonly ((program: Command) => void)[] = [
  addInit,
  addIdentity,
  addRoster,
  addSeal,
  addEdit,
  addReading,
  addRewrap,
  addPublish,
  addDeploy,
  addUnit,
  addRun,
  addCheck,
  addAgent,
  addSync,
  addSources,
  addStatus,
  addScanning,
  addDoctor,
  addCompletion,
];

/** The program with all its commands; nothing has run yet. */
export function createProgram(): Command {
  const program = new Command("sealaunch")
    .description("Starts services out of the Nix store, each with exactly the secrets it needs.")
    .version(packageFile.version)
    .option("--config <file>", "sealaunch.json or node.json, instead of the one that is found")
    .option("--json", "print for programs: results and errors as JSON")
    .helpCommand(false)
    .configureHelp({
      subcommandDescription: firstSentence,
      showGlobalOptions: true,
      // Without "(default: [])" and "(default: false)"; where a default matters, the text says it.
      optionDescription: ({ description }) => description,
    })
    .hook("preAction", (_, command) => {
      refuseEmptyOptions(command);
    })
    .exitOverride()
    // Errors are thrown and reported in one place; help goes to standard output, unless it stands
    // for an error.
    .configureOutput({ writeErr: () => undefined, outputError: () => undefined });
  for (const addFamily of families) addFamily(program);
  // Commander adds it to each group anew; '--help' is enough.
  for (const command of program.commands) command.helpCommand(false);
  return program;
}

/**
 * Runs the one command that the arguments name, to its end.
 *
 * @param args - what follows the program's name
 * @throws Failure `usage/invalid` for what isn't a command line; else what the command throws
 */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  const program = createProgram();
  if (args.length === 0) {
    process.stdout.write(firstSteps);
    return;
  }
  if (args[0] === "complete" && args[1] === "--") {
    await complete(program, args.slice(2));
    return;
  }
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    const refusing = commandOf(program, args);
    throw usageFailure(
      error,
      wordsOf(refusing),
      refusing.commands.map((command) => command.name()),
    );
  }
}

/** The innermost command that the arguments name. */
function commandOf(program: Command, args: readonly string[]): Command {
  let command = program;
  for (const word of args) {
    const next = command.commands.find((candidate) => candidate.name() === word);
    if (next !== undefined) command = next;
  }
  return command;
}

function wordsOf(command: Command): string {
  return command.parent === null ? command.name() : `${wordsOf(command.parent)} ${command.name()}`;
}
