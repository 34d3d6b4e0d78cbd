import type { Command } from "commander";
import { Failure } from "../failure.ts";
import type { ElsewhereOptions } from "../commands/seal/elsewhere.ts";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";
import { collect } from "./options.ts";

interface Flags {
  readonly pool: string[];
  readonly unit: string[];
  readonly removeUnit: string[];
  readonly inPlace?: boolean;
  readonly remove: string[];
  readonly fromEnv: string[];
  readonly fromEnvFile?: string;
  readonly fromAgenix: string[];
  readonly ageIdentity: string[];
  readonly fromSops: string[];
  readonly fromCredstore: string[];
  readonly generate: string[];
  readonly env: string[];
  readonly trim: boolean;
  readonly allowEmpty: boolean;
  readonly expires?: string;
  readonly fromGeneration?: string;
  readonly fromCluster?: string;
  readonly identity?: string;
  readonly merge?: string;
  readonly resign: boolean;
  readonly signer?: string;
  readonly to?: string;
}

/** `seal`: a developer's way to hand a service its secrets. */
export function addSeal(program: Command): void {
  const command = program
    .command("seal")
    .description(
      "Encrypt secrets for the machines that may run a service, and sign them.\n" +
        "A bundle's other credentials stay as they are, and needn't be readable here.",
    )
    .argument("<name>", "the bundle, such as dns or web/shop")
    .argument(
      "[credential...]",
      "CREDENTIAL=FILE, CREDENTIAL=- for standard input, or CREDENTIAL to be asked for its value",
    )
    .option("--pool <pool>", "a pool whose nodes may open it; repeat for several", collect, [])
    .option(
      "--unit <unit>",
      "a unit that may ask for it: dns.service, or dns@ for all its instances",
      collect,
      [],
    )
    .option("--remove-unit <unit>", "a unit that may no longer", collect, [])
    .option("--in-place", "let it be opened by 'run --in-place'")
    .option("--no-in-place", "no longer let it be opened in place")
    .option("--remove <credential>", "leave a credential out", collect, [])
    .option(
      "--from-env <variable>",
      "take a credential from the environment variable of its name",
      collect,
      [],
    )
    .option("--from-env-file <file>", "take each NAME=VALUE of a file as a credential")
    .option(
      "--from-agenix <file>",
      "[CREDENTIAL=]FILE.age, decrypted by age; as --from-sops and --from-credstore, repeat for several",
      collect,
      [],
    )
    .option(
      "--age-identity <file>",
      "the key for those (~/.ssh/id_ed25519, ~/.ssh/id_rsa, the host's)",
      collect,
      [],
    )
    .option(
      "--from-sops <file>",
      "[CREDENTIAL=]FILE[#KEY], decrypted by sops: each value, or that of KEY",
      collect,
      [],
    )
    .option("--from-credstore <file>", "[CREDENTIAL=]FILE, decrypted by systemd-creds", collect, [])
    .option("--generate <credential>", "make up a random value of 43 characters", collect, [])
    .option("--env <credential>", "check that it fits an environment variable", collect, [])
    .option("--trim", "take one newline off the end of each value", false)
    .option("--allow-empty", "seal a value without a byte, too", false)
    .option("--expires <time>", "90d, 2027-01-31 or never: when nothing may start with it any more")
    .option("--from-generation <n>", "take the values of an earlier generation, unread")
    .option(
      "--from-cluster <dir>",
      "take the bundle of another cluster's checkout, opened with --identity; it is for who may have it there unless you say otherwise",
    )
    .option("--identity <file>", "an operator's identity there; - for standard input")
    .option("--merge <rev>", "join what a branch of git has sealed meanwhile, unread")
    .option("--resign", "only sign the newest generation beside who has, byte for byte", false)
    .option("--signer <key.pub>", "the key to sign with, where you hold several")
    .option("--to <nix:>", "then put the bundle into the Nix store too, as 'copy --to nix:' does");
  addGuidance(command, {
    examples: [
      "sealaunch seal dns CF_TOKEN=token --pool web --unit dns.service --in-place",
      "sealaunch seal dns --generate SESSION_KEY",
      "sealaunch seal dns --remove SESSION_KEY",
      "sealaunch seal dns --from-generation 1",
      "sealaunch seal dns --resign",
    ],
    runsOn: "laptop, CI",
    needs: "a signer whom the roster allows the name",
  });
  command.action(async (name: string, credentials: string[], flags: Flags) => {
    if (flags.resign) {
      refuseOthers(command, credentials);
      const { resign } = await import("../commands/seal/resign.ts");
      await resign(createContext(command), name, flags.signer);
      return;
    }
    refuseTwo(flags);
    const { seal } = await import("../commands/seal/seal.ts");
    await seal(createContext(command), name, {
      credentials,
      pools: flags.pool,
      units: flags.unit,
      removeUnits: flags.removeUnit,
      inPlace: flags.inPlace,
      remove: flags.remove,
      fromEnv: flags.fromEnv,
      fromEnvFile: flags.fromEnvFile,
      fromAgenix: flags.fromAgenix,
      ageIdentities: flags.ageIdentity,
      fromSops: flags.fromSops,
      fromCredstore: flags.fromCredstore,
      generate: flags.generate,
      forEnvironment: flags.env,
      trim: flags.trim,
      allowEmpty: flags.allowEmpty,
      expires: flags.expires,
      fromGeneration: flags.fromGeneration,
      fromCluster: elsewhereOf(flags),
      merge: flags.merge,
      signer: flags.signer,
      isStored: isStored(flags),
    });
  });
}

/** @throws Failure `usage/invalid` if what is sealed is said twice */
function refuseTwo({ merge, fromGeneration, fromCluster }: Flags): void {
  const said = Object.entries({
    "--merge": merge,
    "--from-generation": fromGeneration,
    "--from-cluster": fromCluster,
  }).filter(([, value]) => value !== undefined);
  if (said.length < 2) return;
  const names = said.map(([name]) => name).join(" and ");
  throw new Failure("usage/invalid", `${names} each say what to seal`);
}

/** @throws Failure `usage/invalid` if one of the two options is without the other */
function elsewhereOf({ fromCluster, identity }: Flags): ElsewhereOptions | undefined {
  if (fromCluster === undefined && identity === undefined) return undefined;
  if (fromCluster === undefined || identity === undefined) {
    throw new Failure(
      "usage/invalid",
      "--from-cluster and --identity go together: one says what to open, the other how",
    );
  }
  return { directory: fromCluster, identity };
}

/** Whether the bundle goes into the Nix store too. @throws Failure `usage/invalid` for any other place */
function isStored({ to }: Flags): boolean {
  if (to === undefined || to === "nix:") return to !== undefined;
  throw new Failure(
    "usage/invalid",
    `--to ${JSON.stringify(to.slice(0, 80))}: seal writes to the repository's own source, and to nix: besides`,
    "sealaunch copy --from dir:. --to SOURCE",
  );
}

/** What is signed again stays as it is. @throws Failure `usage/invalid` if a change is asked for */
function refuseOthers(command: Command, credentials: readonly string[]): void {
  const others = command.options
    .filter((option) => command.getOptionValueSource(option.attributeName()) === "cli")
    .map(({ long }) => long ?? "")
    .filter((long) => long !== "--resign" && long !== "--signer");
  if (credentials.length === 0 && others.length === 0) return;
  throw new Failure(
    "usage/invalid",
    `--resign changes nothing, so it stands beside no credential and no ${others[0] ?? "value"}`,
  );
}
