import type { Command } from "commander";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";
import { collect, count } from "./options.ts";

interface Flags {
  readonly to?: string;
  readonly cacheKey: readonly string[];
  readonly upstream: readonly string[];
  readonly netrc?: string;
  readonly sbom?: string;
  readonly store?: string;
  readonly timeout: number;
  readonly dryRun: boolean;
}

/** `publish`: what was built, into a binary cache. */
export function addPublish(program: Command): void {
  const command = program
    .command("publish")
    .description(
      "Put store paths and all that they need into a binary cache, signed, and see that they are there. " +
        "Only what is missing is sent; interrupted, it goes on where it was.\n" +
        "No node ever sees a path before what it needs is there too.",
    )
    .argument(
      "<path...>",
      "store paths, links to them such as ./result, or service files: what they run, built first",
    )
    .option(
      "--to <url>",
      "file:///DIR, https://HOST/PATH, s3://BUCKET?region=REGION, or ssh://HOST for a machine's own store; else what sealaunch.json says",
    )
    .option("--cache-key <file>", "a secret key to sign with; may be repeated", collect, [])
    .option(
      "--upstream <url>",
      "a cache that all nodes use besides: what is there is left out; may be repeated",
      collect,
      [],
    )
    .option("--sbom <file>", "write what the closure is made of, as CycloneDX 1.6")
    .option("--netrc <file>", "users and passwords for https://, instead of ~/.netrc")
    .option("--store <dir>", "read the store at DIR/nix/store, instead of this machine's")
    .option("--timeout <seconds>", "for how long a server may be silent (30)", count, 30)
    .option("--dry-run", "only say what is missing", false);
  addGuidance(command, {
    examples: [
      "sealaunch publish ./result --to file:///srv/cache --cache-key cache.secret",
      "sealaunch publish ./result --to file:///srv/cache --cache-key cache.secret --dry-run",
      "sealaunch publish ./result --to file:///srv/cache --cache-key cache.secret --sbom dns.cdx.json",
    ],
    needsStore: true,
    runsOn: "laptop, CI",
    needs: "Nix; a cache's secret key (nix-store --generate-binary-cache-key)",
  });
  command.action(async (paths: string[], flags: Flags) => {
    const { publish } = await import("../commands/publish/publish.ts");
    await publish(createContext(command), paths, flags);
  });
}
