import type { Command } from "commander";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";

/** `copy`, `etcd-roles`: what concerns sources, whatever lies in them. */
export function addSources(program: Command): void {
  addCopy(program);
  addEtcdRoles(program);
}

function addEtcdRoles(program: Command): void {
  const command = program
    .command("etcd-roles")
    .description(
      "Print the etcdctl commands that let each write its own in etcd, and nothing else.\n" +
        "Run them again after changes of the roster or a pool: what is there already stays.",
    )
    .option("--prefix <prefix>", "what all keys begin with (/sealaunch)", "/sealaunch");
  addGuidance(command, {
    examples: ["sealaunch etcd-roles", "sealaunch etcd-roles --prefix /secrets --json"],
    runsOn: "laptop, CI",
    needs: "nothing",
  });
  command.action(async ({ prefix }: { readonly prefix: string }) => {
    const { etcdRoles } = await import("../commands/etcd-roles.ts");
    await etcdRoles(createContext(command), prefix);
  });
}

interface CopyFlags {
  readonly from: string;
  readonly to: string;
  readonly dryRun: boolean;
}

function addCopy(program: Command): void {
  const command = program
    .command("copy")
    .description(
      "Bring roster, pools and bundles from one source to another, all of them verified.\n" +
        "Shows what is missing there, and asks. What is there stays as it is.\n" +
        "To nix: go bundles alone, each as one store path, which a unit can name and any binary cache have.",
    )
    .argument("[name...]", "only these bundles, with the roster and all pools")
    .requiredOption("--from <source>", "dir:PATH or etcd:FILE")
    .requiredOption("--to <source>", "dir:PATH, etcd:FILE, or nix: for the Nix store")
    .option("--dry-run", "only say what is missing", false)
    .option("--yes", "copy without asking", false);
  addGuidance(command, {
    examples: [
      "sealaunch copy --from dir:. --to dir:../copy --yes",
      "sealaunch copy dns --from dir:. --to dir:../copy --dry-run",
      "sealaunch copy dns --from dir:. --to nix: --dry-run",
    ],
    runsOn: "laptop, CI",
    needs: "nothing; to write there",
  });
  command.action(async (names: string[], flags: CopyFlags) => {
    if (flags.to === "nix:") {
      const { copyToStore } = await import("../commands/copy/to-store.ts");
      await copyToStore(createContext(command), names, flags);
      return;
    }
    const { copy } = await import("../commands/copy/copy.ts");
    await copy(createContext(command), names, flags);
  });
}
