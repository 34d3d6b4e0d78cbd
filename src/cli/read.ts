import type { Command } from "commander";
import type { InspectOptions } from "../commands/inspect/choice.ts";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";
import { collect } from "./options.ts";

interface VerifyFlags {
  readonly source?: string;
  readonly identity?: string;
  readonly since?: string;
  readonly within?: string;
  readonly olderThan?: string;
  readonly strict?: boolean;
  readonly units: string[];
}

/** `verify`, `inspect`, `open`: what can be told of sealed bundles, with and without a key. */
export function addReading(program: Command): void {
  addVerify(program);
  addInspect(program);
  addOpen(program);
}

function addVerify(program: Command): void {
  const command = program
    .command("verify")
    .description(
      "Check bundles, or everything there is: signatures, hashes, headers, entries, dates.\n" +
        "Needs no key, so that a pipeline can run it; with --identity each value is opened too.",
    )
    .argument("[name...]", "the bundles; all by default")
    .option("--source <source>", "look there instead: dir:PATH or etcd:FILE, as after a copy")
    .option("--identity <file>", "an operator's or member's identity; - for standard input")
    .option("--since <rev>", "refuse what was rewritten since a revision of git, as origin/main")
    .option(
      "--within <days>",
      "refuse what ends so soon, as 30d: dates of roster, pools, signers, bundles",
    )
    .option("--older-than <days>", "refuse values that were sealed longer ago, as 365d")
    .option("--strict", "refuse also what nothing needs, which is told anyway")
    .option(
      "--units <path>",
      "refuse what a unit asks for and no bundle serves: a unit file, a service file, a directory",
      collect,
      [],
    );
  addGuidance(command, {
    examples: [
      "sealaunch verify",
      "sealaunch verify dns --json",
      "sealaunch verify --source dir:.",
      "sealaunch verify --within 30d --older-than 365d",
      "sealaunch verify --strict --units dns.json",
    ],
    runsOn: "laptop, CI",
    needs: "nothing",
  });
  command.action(async (names: string[], flags: VerifyFlags) => {
    const { verify } = await import("../commands/verify/verify.ts");
    await verify(createContext(command), names, {
      source: flags.source,
      identity: flags.identity,
      since: flags.since,
      within: flags.within,
      olderThan: flags.olderThan,
      strict: flags.strict === true,
      units: flags.units,
    });
  });
}

function addInspect(program: Command): void {
  const command = program
    .command("inspect")
    .description(
      "Tell what a bundle holds, who signed it, who could open it, who may ask, and whether it starts.\n" +
        "Of a directory or store path with several, one line each, with the worst that is to be said.",
    )
    .argument("<what>", "a bundle's name; or a path, which begins with / or .")
    .option(
      "--between <times...>",
      "two times, as 2026-01-01 now: who could read it then, and who had signed it",
    )
    .option("--since <rev>", "what changed since a revision of git, as origin/main")
    .option("--node <node>", "whether that node would start it, and if not why")
    .option("--floor <generation>", "the least that a unit asks for, as in NAME@17+");
  addGuidance(command, {
    examples: [
      "sealaunch inspect dns",
      "sealaunch inspect .",
      "sealaunch inspect ./secrets/bundles/dns/0.1",
      "sealaunch inspect dns --node n2",
      "sealaunch inspect dns --between 2026-01-01 now",
    ],
    runsOn: "laptop, CI",
    needs: "nothing",
  });
  command.action(async (what: string, flags: InspectOptions) => {
    const { runInspect } = await import("../commands/inspect/choice.ts");
    await runInspect(createContext(command), what, flags);
  });
}

function addOpen(program: Command): void {
  const command = program
    .command("open")
    .description("Write one credential to standard output, byte for byte as it was sealed.")
    .argument("<name>", "the bundle")
    .argument("[credential]", "the credential, if the bundle has several")
    .requiredOption(
      "--identity <file>",
      "an operator's or member's identity; - for standard input",
    );
  addGuidance(command, {
    examples: ["sealaunch open dns CF_TOKEN --identity operator.identity"],
    runsOn: "an operator's machine",
    needs: "an operator's identity",
  });
  command.action(
    async (name: string, credential: string | undefined, flags: { readonly identity: string }) => {
      const { open } = await import("../commands/open.ts");
      await open(createContext(command), name, credential, flags);
    },
  );
}
