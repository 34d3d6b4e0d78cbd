import { Option, type Command } from "commander";
import { createContext } from "./context.ts";
import { count } from "./options.ts";

/** What of `scan` is for fetching advisories. */
export interface UpdateFlags {
  readonly update?: boolean;
  readonly nvd?: string;
  readonly osv?: string;
  readonly timeout: number;
}

/** Nothing is scanned with it, so nothing that is for scanning goes with it. */
const scanning = [
  ...["node", "pool", "here", "ssh", "dump", "package", "service", "advisories", "rules", "cache"],
  ...["cachePublicKey", "store", "since", "html", "sarif", "cyclonedx", "openvex", "failOn"],
];

/** `scan --update`, and what is for it alone. */
export function addUpdate(command: Command): Command {
  const alone = (flags: string, description: string): Option =>
    new Option(flags, description).conflicts(scanning);
  return command
    .addOption(
      alone(
        "--update",
        "fetch what NVD and OSV have published, and nothing else; 'scan' without --advisories uses it",
      ),
    )
    .addOption(alone("--nvd <url>", "fetch NVD's feeds from there").implies({ update: true }))
    .addOption(alone("--osv <url>", "fetch OSV's archives from there").implies({ update: true }))
    .option(
      "--timeout <seconds>",
      "with --update, how long a server may be silent (30)",
      count,
      30,
    );
}

/** Does what --update says. */
export async function runUpdate(command: Command, flags: UpdateFlags): Promise<void> {
  const { updateAdvisories } = await import("../commands/scan/update.ts");
  const { nvd, osv, timeout } = flags;
  await updateAdvisories(createContext(command), { nvd, osv, timeout });
}
