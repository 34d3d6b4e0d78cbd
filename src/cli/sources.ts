import type { Command } from "commander";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";

/** `etcd-roles`: what concerns sources, whatever lies in them. */
export function addSources(program: Command): void {
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
