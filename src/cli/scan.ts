import { Option, type Command } from "commander";
import type { ScanOptions } from "../commands/scan/scan.ts";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";
import { addInventory } from "./inventory.ts";
import { collect, count } from "./options.ts";
import { addUpdate, runUpdate, type UpdateFlags } from "./scan-update.ts";

interface ScanFlags extends UpdateFlags {
  readonly node: string[];
  readonly pool?: string;
  readonly here?: boolean;
  readonly ssh?: readonly string[];
  readonly dump?: readonly string[];
  readonly package: string[];
  readonly service?: string;
  readonly advisories?: readonly string[];
  readonly rules: string[];
  readonly cache: string[];
  readonly cachePublicKey: string[];
  readonly store?: string;
  readonly since?: string;
  readonly staleAfter: number;
  readonly failOn?: ScanOptions["failOn"];
  readonly maxAge: number;
  readonly html?: string;
  readonly sarif?: string;
  readonly cyclonedx?: string;
  readonly openvex?: string;
}

/** `inventory` and `scan`: what machines run of the store, and what of it is vulnerable. */
export function addScanning(program: Command): void {
  addInventory(program);
  addScan(program);
}

function addScan(program: Command): void {
  const command = program
    .command("scan")
    .description(
      "Tell which packages of the Nix stores of many machines are in use, where, through what, and whom it " +
        "concerns. Machines are the cluster's nodes, by the inventories that they have signed; or any that " +
        "ssh reaches, with nothing of Sealaunch on them; or files. What isn't known is said to be unknown.",
    )
    .option("--node <node>", "only that node; may be repeated", collect, [])
    .option("--pool <pool>", "only the nodes of that pool")
    .option("--here", "this machine as it is now; root sees all of it")
    .option("--ssh <host...>", "machines as they are now, as root there, over ssh")
    .option("--dump <file...>", "what 'inventory --save' or 'nix-store --dump-db' has written")
    .option(
      "--package <name[@range]>",
      "where a package is, as openssl@<3.0.8 or curl@>=7.69.0,<8.4.0; may be repeated",
      collect,
      [],
    )
    .option("--service <name>", "only what that service needs; alone: all packages that it needs")
    .option(
      "--advisories <file...>",
      "feeds of NVD (.json, .json.gz), records of OSV (.json, .zip), and folders of them; else what --update fetched",
    )
    .option(
      "--rules <file>",
      "what is to be ignored: TOML as vulnix has it, OpenVEX, CycloneDX; may be repeated",
      collect,
      [],
    )
    .option(
      "--cache <url>",
      "a binary cache that is asked what publishers say of packages, such as file:///DIR; may be repeated; " +
        "else what sealaunch.json says",
      collect,
      [],
    )
    .option(
      "--cache-public-key <name:base64>",
      "who has to have signed that; may be repeated",
      collect,
      [],
    )
    .option("--store <dir>", "look for derivations in DIR/nix/store, instead of this machine's")
    .option("--since <file>", "only what changed since that report, which --json wrote")
    .option("--html <file>", "write a page for people too, which needs nothing else")
    .option("--sarif <file>", "write SARIF 2.1.0 too")
    .option("--cyclonedx <file>", "write CycloneDX 1.6 with its vulnerabilities and VEX too")
    .option("--openvex <file>", "write OpenVEX too")
    .option("--stale-after <days>", "how old the newest advisory may be", count, 7)
    .option("--max-age <days>", "how old an inventory may be to be believed", count, 2)
    .addOption(
      new Option(
        "--fail-on <rating>",
        "end with 77 if something vulnerable is as bad or worse",
      ).choices(["low", "medium", "high", "critical"]),
    );
  addUpdate(command);
  addGuidance(command, {
    examples: [
      "sealaunch scan --update",
      "sealaunch scan --advisories nvdcve-2.0-modified.json",
      "sealaunch scan --package 'openssl@<3.0.8' --json",
      "sealaunch scan --dump n1.dump --advisories nvdcve-2.0-modified.json --rules ignored.toml",
      'sealaunch scan --advisories nvdcve-2.0-modified.json --cache file:///srv/cache --cache-public-key "$(cat cache.public)"',
      "sealaunch scan --pool web --service dns",
      "sealaunch scan --dump n1.dump --package 'openssl@<3.0.8' --html report.html",
    ],
    runsOn: "laptop, CI; node (--here)",
    needs: "nothing; with --ssh root on the machines",
  });
  command.action(async (flags: ScanFlags) => {
    if (flags.update === true) {
      await runUpdate(command, flags);
      return;
    }
    const { scan } = await import("../commands/scan/scan.ts");
    await scan(createContext(command), {
      nodes: flags.node,
      pool: flags.pool,
      here: flags.here === true,
      ssh: flags.ssh ?? [],
      dumps: flags.dump ?? [],
      packages: flags.package,
      service: flags.service,
      advisories: flags.advisories ?? [],
      rules: flags.rules,
      caches: flags.cache,
      publicKeys: flags.cachePublicKey,
      store: flags.store,
      since: flags.since,
      staleDays: flags.staleAfter,
      failOn: flags.failOn,
      maxAgeDays: flags.maxAge,
      files: {
        html: flags.html,
        sarif: flags.sarif,
        cyclonedx: flags.cyclonedx,
        openvex: flags.openvex,
      },
    });
  });
}
