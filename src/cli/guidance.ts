import type { Command } from "commander";

/** What the help of a command ends with. */
export interface Guidance {
  /**
   * Complete command lines, each of which works as it stands in the cluster of the README's worked
   * example; a test runs them all.
   */
  readonly examples: readonly string[];
  /** Whether they work only on a machine with systemd and an agent: tested on one, then. */
  readonly needsSystemd?: true;
  /** Whether they need things in a Nix store: tested with one, then. */
  readonly needsStore?: true;
  /** Where the command runs: `laptop`, `CI`, `node, as root`. */
  readonly runsOn: string;
  /** What it needs: `a signer`, `an operator's identity`, `nothing`. */
  readonly needs: string;
}

const guidances = new WeakMap<Command, Guidance>();

/** Ends the command's help with examples, where it runs and what it needs. */
export function addGuidance(command: Command, guidance: Guidance): void {
  guidances.set(command, guidance);
  const examples = guidance.examples.map((example) => `  ${example}\n`).join("");
  command.addHelpText(
    "after",
    `\nExamples:\n${examples}\nRuns on: ${guidance.runsOn}\nNeeds: ${guidance.needs}`,
  );
}

/** The guidance of a command; undefined for one that only groups others. */
export function guidanceOf(command: Command): Guidance | undefined {
  return guidances.get(command);
}

/** What a list of commands says of each. */
export function firstSentence(command: Command): string {
  const text = command.description().replaceAll("\n", " ");
  return /^.*?\.(?= |$)/u.exec(text)?.[0] ?? text;
}
