/**
 * Writes docs/man/sealaunch.1 from the command line itself: `npm run docs`. man(7) says what the macros
 * are.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import packageFile from "../package.json" with { type: "json" };
import { guidanceOf } from "../src/cli/guidance.ts";
import { createProgram } from "../src/cli/program.ts";
import { exitStatus, failures } from "../src/failure.ts";

const manPage = join(import.meta.dirname, "../docs/man/sealaunch.1");

/** Text as roff has it: nothing in it is a macro or an escape. */
const roff = (text: string): string =>
  text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .split("\n")
    .map((line) => line.trim().replace(/^(?=[.'])/u, "\\&"))
    .join("\n");

function namesOf(command: Command): string {
  return command.parent === null ? command.name() : `${namesOf(command.parent)} ${command.name()}`;
}

const leaves = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);

function describeCommand(command: Command): string[] {
  const guidance = guidanceOf(command);
  const { options, registeredArguments } = command;
  return [
    `.SS ${roff(`${namesOf(command)} ${command.usage()}`)}`,
    roff(command.description()),
    ...registeredArguments.flatMap((argument) =>
      argument.description === ""
        ? []
        : [".TP", `.I ${roff(argument.name())}`, roff(argument.description)],
    ),
    ...options.flatMap((option) => [".TP", `.B ${roff(option.flags)}`, roff(option.description)]),
    ".PP",
    `Runs on: ${roff(guidance?.runsOn ?? "")}. Needs: ${roff(guidance?.needs ?? "")}.`,
    ...(guidance?.examples ?? []).flatMap((example) => [".PP", ".EX", roff(example), ".EE"]),
  ];
}

/** The page, as `man` reads it. */
export function renderManPage(): string {
  const program = createProgram();
  const statuses = Object.entries(exitStatus).map(([kind, status]) => {
    const meanings = Object.values(failures).filter(([of]) => of === kind);
    return [
      ".TP",
      `.B ${String(status)}`,
      `${kind}, such as: ${roff(meanings[0]?.[1] ?? "")}`,
    ].join("\n");
  });
  return `${[
    `.TH SEALAUNCH 1 "" "sealaunch ${packageFile.version}"`,
    ".SH NAME",
    "sealaunch \\- start services out of the Nix store, each with exactly the secrets it needs",
    ".SH SYNOPSIS",
    ".B sealaunch",
    '.RI [ options ] " command " [ arguments ]',
    ".SH OPTIONS",
    ...program.options.flatMap((option) => [
      ".TP",
      `.B ${roff(option.flags)}`,
      roff(option.description),
    ]),
    ".SH COMMANDS",
    ...leaves(program).flatMap(describeCommand),
    ".SH EXIT STATUS",
    "0 if all went well. Every refusal is one line that begins with error: and one with hint:.",
    ...statuses,
    ".SH FILES",
    ".TP",
    ".I sealaunch.json",
    "a repository's configuration, looked for upwards from the working directory",
    ".TP",
    ".I /etc/sealaunch/node.json",
    "a node's configuration",
    ".TP",
    ".I /var/lib/sealaunch",
    "what a node has seen, and what it keeps in the store for its units",
    ".SH SEE ALSO",
    ".BR age (1),",
    ".BR ssh\\-keygen (1),",
    ".BR nix\\-store (1),",
    ".BR systemd.exec (5)",
  ].join("\n")}\n`;
}

if (import.meta.main) {
  mkdirSync(dirname(manPage), { recursive: true });
  writeFileSync(manPage, renderManPage());
}
