import type { Command } from "commander";
import { runOptions, type RunOption } from "../launch/run-options.ts";
import { addGuidance } from "./guidance.ts";
import { collect } from "./options.ts";

/**
 * `run`: what it looks like. It is launched by bin/sealaunch, which becomes the service; here it
 * arrives only if there is nothing to launch.
 */
export function addRun(program: Command): void {
  const command = program
    .command("run")
    .description(
      "Start a service out of the Nix store: its closure realised and pinned, its secrets in memory that " +
        "only its user can read, and then this process is the service. Under systemd it stands in the unit, " +
        "where the agent has done the work, and takes --bundle, --credential, --env, --render and --fresh.",
    )
    .usage("[--in-place | --plain DIR] [options] -- PROGRAM [ARG…]")
    .argument("[program...]", "the service, by its store path, and its arguments");
  for (const { name, value, repeats, help } of runOptions as readonly RunOption[]) {
    if (name === "config") continue;
    const flags = value === undefined ? `--${name}` : `--${name} <${value}>`;
    if (repeats === true) command.option(flags, help, collect, []);
    else command.option(flags, help);
  }
  addGuidance(command, {
    examples: [
      'sealaunch run --in-place --config n1/node.json --bundle dns@1+ --user nobody -- "$(readlink -f result)/bin/service"',
      "sealaunch run --plain secrets.local --env CF_TOKEN -- ./service --once",
    ],
    runsOn: "node, as root (--in-place); laptop (--plain)",
    needs: "the node's identity; nothing with --plain",
  });
  command.action(async () => {
    const { refuseRun } = await import("../commands/run.ts");
    refuseRun(process.argv.slice(2));
  });
}

/**
 * `check`: what it looks like. The wrapper does it; here it arrives only where there is nothing to
 * check.
 */
export function addCheck(program: Command): void {
  const command = program
    .command("check")
    .description(
      "See that every credential of a unit has arrived whole, as its first ExecStartPre=. For units " +
        "whose program can't be started by 'sealaunch run'.",
    )
    .option("--bundle <name>", "a bundle whose credentials the unit gets", collect, [])
    .option("--credential <name>", "only this credential of the bundles", collect, [])
    .option("--render <name=file>", "one more credential, from a template", collect, [])
    .option("--on-change <what>", "what becomes of the running unit when there are newer values")
    .option("--fresh", "insist on what the source has now, where the node keeps a mirror");
  addGuidance(command, {
    examples: ["sealaunch check --bundle dns@1+"],
    needsSystemd: true,
    runsOn: "node, in a unit",
    needs: "nothing",
  });
  command.action(async () => {
    const { refuseCheck } = await import("../commands/run.ts");
    refuseCheck();
  });
}
