import { Option, type Command } from "commander";
import { Failure } from "../failure.ts";
import type { Scheduler } from "../service/scheduled/unsupported.ts";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";
import { collect, count } from "./options.ts";

interface Flags {
  readonly for: Scheduler;
  readonly launcher: string;
  readonly build: boolean;
  readonly wrap?: string;
  readonly install?: string;
  readonly settle: number;
  readonly dryRun: boolean;
  readonly dropIn: string[];
  readonly bundle: string[];
  readonly credential: string[];
  readonly env: string[];
  readonly render: string[];
  readonly onChange?: string;
  readonly output?: string;
}

/** `unit`: the unit of a service, or a drop-in for one that is there. */
export function addUnit(program: Command): void {
  const command = program
    .command("unit")
    .description(
      "Write what starts a service with its secrets, from a service file: a unit for systemd, hardened by " +
        "default, or what another scheduler takes.\n" +
        "Or, with --wrap, a drop-in that gives an existing unit its secrets, and show what it changes.\n" +
        "Or, with --install, have this machine run a unit as its file says: examined first, and with what " +
        "ran before put back if it doesn't stay up.",
    )
    .argument("[service.json]", "the service file")
    .addOption(
      new Option(
        "--for <scheduler>",
        "what places and starts it: systemd (if left out), fleet, pacemaker, nomad or marathon",
      )
        .choices(["systemd", "fleet", "pacemaker", "nomad", "marathon"] satisfies Scheduler[])
        .default("systemd"),
    )
    .option(
      "--launcher <file>",
      "with --for nomad or marathon: where nodes have sealaunch",
      "/usr/bin/sealaunch",
    )
    .option(
      "--no-build",
      "only name what Nix would build for the service file, and leave building it to others",
    )
    .option("--wrap <unit>", "a unit: its file, or the name of one of this machine")
    .option("--drop-in <file>", "with --wrap: one more drop-in that the unit has", collect, [])
    .option("--bundle <name>", "with --wrap: a bundle, NAME or NAME@17+", collect, [])
    .option("--credential <name>", "with --wrap: only this credential of the bundles", collect, [])
    .option("--env <variable>", "with --wrap: VARIABLE or VARIABLE=CREDENTIAL", collect, [])
    .option(
      "--render <name=file>",
      "with --wrap: one more credential, from a template",
      collect,
      [],
    )
    .option(
      "--on-change <what>",
      "with --wrap: what becomes of the running service when there are newer values: nothing, restart; from systemd 260 on also reload, signal or signal=USR1",
    )
    .option("--output <file>", "where to write; - for standard output")
    .option(
      "--install <file>",
      "a unit's file: run it here instead of what it is now; with --for pacemaker only put it in place",
    )
    .option("--settle <seconds>", "with --install: how long it has to stay up", count, 5)
    .option("--dry-run", "with --install: only show what would change", false);
  addGuidance(command, {
    examples: [
      "sealaunch unit dns.json --for systemd --output dns.service",
      "sealaunch unit dns.json --for pacemaker --output dns.xml",
      "sealaunch unit --wrap dns.service --bundle dns@1+ --env CF_TOKEN",
    ],
    runsOn: "laptop, CI, node; --install: node, as root",
    needs: "nothing; --install: the node's identity",
  });
  command.action(async (path: string | undefined, flags: Flags) => {
    const context = createContext(command);
    const given = [
      flags.dropIn,
      flags.bundle,
      flags.credential,
      flags.env,
      flags.render,
      flags.onChange ?? [],
    ].flat();
    if (flags.install !== undefined && path === undefined && flags.wrap === undefined) {
      const { unitInstall } = await import("../commands/unit/install.ts");
      await unitInstall(context, flags.install, {
        isDryRun: flags.dryRun,
        settle: flags.settle,
        isStartedElsewhere: flags.for === "pacemaker",
      });
    } else if (path !== undefined && flags.wrap === undefined && given.length === 0) {
      const { unit } = await import("../commands/unit/unit.ts");
      await unit(context, path, flags);
    } else if (path === undefined && flags.wrap !== undefined) {
      const { unitWrap } = await import("../commands/unit/wrap.ts");
      await unitWrap(context, flags.wrap, {
        dropIns: flags.dropIn,
        bundles: flags.bundle,
        credentials: flags.credential.length === 0 ? undefined : flags.credential,
        variables: flags.env,
        renders: new Map(flags.render.map(splitRender)),
        onChange: flags.onChange,
        output: flags.output,
      });
    } else if (path === undefined) {
      throw new Failure(
        "usage/invalid",
        "there is neither a service file nor --wrap with a unit",
        "sealaunch unit SERVICE.json --for systemd, or sealaunch unit --wrap UNIT --bundle NAME",
      );
    } else {
      throw new Failure(
        "usage/invalid",
        "what a service gets stands in its service file; the options are for an existing unit",
        "sealaunch unit SERVICE.json --for systemd, or sealaunch unit --wrap UNIT --bundle NAME",
      );
    }
  });
}

function splitRender(text: string): [name: string, path: string] {
  const equals = text.indexOf("=");
  return equals < 0 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
}
