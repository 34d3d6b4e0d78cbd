import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProgram } from "../../src/cli/program.ts";
import { Repository } from "../fixtures/repository.ts";
import { textOfFile } from "../source.ts";
import { runbooks } from "./runbooks.ts";

const page = textOfFile("docs/operating.md");
const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gmsu)].map(([, block = ""]) => block);

let repository: Repository;
beforeAll(() => {
  repository = new Repository();
});
afterAll(() => {
  repository[Symbol.dispose]();
});

/** What changes trust shows it and asks: here nobody answers. */
const sayYes = (block: string): string =>
  block.replace(/^(sealaunch (?:roster (?!show)|init|copy)[^#\n]*?)( *#.*)?$/gmu, "$1 --yes");

const blockOf = (beginning: string): string => {
  const [block, other] = blocks.filter((one) => one.startsWith(beginning));
  if (block === undefined || other !== undefined) throw new Error(`${beginning} is no one block`);
  return block;
};

describe("docs/operating.md", () => {
  it("has no block of commands that isn't run here", () => {
    const run = runbooks.flatMap((runbook) => runbook.blocks.map(blockOf));
    expect(blocks.filter((block) => !run.includes(block))).toEqual([]);
    const others = [...page.matchAll(/^```(\w*)\n(.*?)^```$/gmsu)]
      .filter(([, language]) => language !== "sh")
      .map(([, , text = ""]) => text);
    expect(others.filter((text) => /^(?:\$ |sealaunch |git )/mu.test(text))).toEqual([]);
  });

  it.for(runbooks)("is followed where $title", ({ blocks: beginnings, ...runbook }) => {
    const here = repository.copy();
    for (const command of runbook.before ?? []) repository.mustRun(command, here);
    let script = sayYes(beginnings.map(blockOf).join(""));
    for (const [said, typed] of Object.entries(runbook.instead ?? {})) {
      expect(script).toContain(said);
      script = script.replaceAll(said, typed);
    }
    for (let time = 0; time < (runbook.times ?? 1); time++) {
      const { status, stderr } = repository.run(`set -eu\n${script}`, here);
      expect(`${String(status)} ${stderr}`).toMatch(/^0 (?!.*error)/su);
    }
    for (const [command, printed] of runbook.after)
      expect(repository.mustRun(command, here)).toMatch(printed);
  });

  it("names no command and no option that isn't there", () => {
    const inline = [...page.replaceAll(/^```.*?^```$/gmsu, "").matchAll(/`sealaunch ([^`]+)`/gu)];
    const lines = [...inline.map(([, line = ""]) => line), ...blocks.flatMap(commandsIn)];
    expect(lines.length).toBeGreaterThan(60);
    expect(lines.flatMap(unknownIn)).toEqual([]);
  });
});

/** The command lines of Sealaunch in a block, without its name. */
const commandsIn = (block: string): string[] =>
  [...block.matchAll(/sealaunch ([a-z][^#|;)\n]*)/gu)].map(([, line = ""]) => line);

/** What of a command line the program doesn't know. */
function unknownIn(line: string): string[] {
  let command = createProgram();
  const words = line.trim().replaceAll("\n", " ").split(/ +/u);
  while (command.commands.length > 0) {
    const word = words.shift() ?? "";
    const sub = command.commands.find((one) => one.name() === word);
    if (sub === undefined) return [line];
    command = sub;
  }
  const known = [...createProgram().options, ...command.options].map(({ long }) => long);
  const own = words.includes("--") ? words.slice(0, words.indexOf("--")) : words;
  return own
    .filter((word) => word.startsWith("--") && !known.includes(word))
    .map((word) => `${line}: ${word}`);
}
