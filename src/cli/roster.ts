import type { Command } from "commander";
import { Failure } from "../failure.ts";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";
import { changing, collect } from "./options.ts";
import { addRoles } from "./roster-roles.ts";

/** `roster`: whom the cluster trusts with what, and how that changes. */
export function addRoster(program: Command): void {
  const family = program
    .command("roster")
    .description("See and change whom the cluster trusts: pools, nodes, signers.");
  addShow(family);
  addSign(family);
  addPool(family);
  addSigner(family);
  addNode(family);
  addRemoveNode(family);
  addRoles(family);
}

function addShow(family: Command): void {
  const command = family
    .command("show")
    .description("Tell whom the cluster trusts, who is in which pool, and what is still owed.")
    .option(
      "--pending",
      "only the nodes that announced themselves and that no manager signed for",
      false,
    );
  addGuidance(command, {
    examples: [
      "sealaunch roster show",
      "sealaunch roster show --json",
      "sealaunch roster show --pending",
    ],
    runsOn: "laptop, CI",
    needs: "nothing",
  });
  command.action(async ({ pending }: { readonly pending: boolean }) => {
    if (pending) {
      const { showPending } = await import("../commands/roster/pending.ts");
      await showPending(createContext(command));
      return;
    }
    const { showRoster } = await import("../commands/roster/show.ts");
    await showRoster(createContext(command));
  });
}

interface SignFlags {
  readonly renew: boolean;
  readonly pool: string[];
  readonly signer?: string;
}

function addSign(family: Command): void {
  const command = changing(
    family
      .command("sign")
      .description(
        "Add your root signature to a roster that waits for it; or give the roster and its " +
          "pool files new dates, before they are stale.",
      )
      .option("--renew", "issue the roster, and the pool files that you manage, anew", false)
      .option("--pool <pool>", "only issue this pool's file anew", collect, []),
  );
  addGuidance(command, {
    examples: ["sealaunch roster sign --renew --yes", "sealaunch roster sign --pool web --yes"],
    runsOn: "laptop",
    needs: "a root key; a manager's key for pools",
  });
  command.action(async (flags: SignFlags) => {
    const { signRoster } = await import("../commands/roster/sign.ts");
    const { renew, pool, signer } = flags;
    await signRoster(createContext(command), { renew, pools: pool, signer });
  });
}

interface PoolFlags {
  readonly manager: string[];
  readonly signer?: string;
}

function addPool(family: Command): void {
  const command = changing(
    family
      .command("add-pool")
      .description("Add a pool: the nodes that a scheduler may place a service on.")
      .argument("<pool>", "its name")
      .option(
        "--manager <key.pub>",
        "an SSH key that may add its nodes; repeat for several (the root key that signs)",
        collect,
        [],
      ),
  );
  addGuidance(command, {
    examples: ["sealaunch roster add-pool db --yes"],
    runsOn: "laptop",
    needs: "a root key",
  });
  command.action(async (pool: string, flags: PoolFlags) => {
    const { addPool: run } = await import("../commands/roster/add-pool.ts");
    await run(createContext(command), pool, { managers: flags.manager, signer: flags.signer });
  });
}

interface SignerFlags {
  readonly name: string[];
  readonly expires?: string;
  readonly signer?: string;
}

function addSigner(family: Command): void {
  const command = changing(
    family
      .command("add-signer")
      .description(
        "Let somebody seal: under exact names, or under all that begin with a prefix. " +
          "A signer of that name is replaced, and the difference shown.",
      )
      .argument("<name>", "what the signer is called here")
      .argument("<key.pub>", "the signer's SSH key")
      .option("--name <scope>", "dns, or dns/ for all below it; repeat for several", collect, [])
      .option("--expires <time>", "90d or 2027-01-31: until when what he signs counts"),
  );
  addGuidance(command, {
    examples: [
      "sealaunch roster add-signer bea bea.pub --name dns --name shop/ --expires 365d --yes",
    ],
    runsOn: "laptop",
    needs: "a root key",
  });
  command.action(async (name: string, file: string, flags: SignerFlags) => {
    const { addSigner: run } = await import("../commands/roster/add-signer.ts");
    const { expires, signer } = flags;
    await run(createContext(command), name, file, { names: flags.name, expires, signer });
  });
}

interface NodeFlags {
  readonly pool: string;
  readonly knownHosts?: string;
  readonly fingerprint?: string;
  readonly replace: boolean;
  readonly identity?: string;
  readonly ssh: boolean;
  readonly signer?: string;
}

function addNode(family: Command): void {
  const command = changing(
    family
      .command("add-node")
      .description(
        "Add nodes to a pool by their cards, after comparing who signed them with the SSH host " +
          "keys that you know, or that the pool has for them. With --ssh one command does it all: each " +
          "machine makes its identity, if it has none, and gets what it needs into its mirror. Needs no root " +
          "key; an identity only for --identity.",
      )
      .argument(
        "<card...>",
        "card.json with card.json.sig beside it, or the directory of both; with --ssh hosts, as root there",
      )
      .requiredOption("--pool <pool>", "the pool")
      .option("--known-hosts <file>", "an OpenSSH known_hosts file that has the nodes' names")
      .option("--fingerprint <SHA256:…>", "the node's host key, as ssh-keygen -l prints it")
      .option("--replace", "the same node, with a new identity or host key", false)
      .option(
        "--identity <file>",
        "write the newcomers' entries at once, by an operator's or member's identity (- for standard input)",
      )
      .option("--ssh", "fetch the cards over ssh, from hosts whose keys ssh knows", false),
  );
  addGuidance(command, {
    examples: [
      "sealaunch roster add-node keys/nodes/n1 --pool web --known-hosts known_hosts --yes",
    ],
    runsOn: "laptop",
    needs: "a manager's key of the pool",
  });
  command.action(async (cards: string[], flags: NodeFlags) => {
    const { addNode: run } = await import("../commands/roster/add-node.ts");
    const { pool, knownHosts, fingerprint, replace: replaces, identity, signer } = flags;
    const options = { pool, replaces, identity, signer };
    if (!flags.ssh) {
      await run(createContext(command), cards, { ...options, knownHosts, fingerprint });
      return;
    }
    if (knownHosts !== undefined || fingerprint !== undefined) {
      throw new Failure(
        "usage/invalid",
        "--ssh goes by the host keys that ssh knows, not by --known-hosts or --fingerprint",
        "give neither; see ssh_config(5), UserKnownHostsFile",
      );
    }
    const { addNodeOverSsh } = await import("../commands/roster/add-node-ssh.ts");
    await addNodeOverSsh(createContext(command), cards, options);
  });
}

interface RemoveNodeFlags {
  readonly from: string[];
  readonly diskDestroyed: boolean;
  readonly ssh?: string;
  readonly dryRun: boolean;
  readonly signer?: string;
}

function addRemoveNode(family: Command): void {
  const command = changing(
    family
      .command("remove-node")
      .description(
        "Shut a node out: its pools begin a new epoch, which the others enter by 'sealaunch rewrap', " +
          "and the values that it could read are named. Run again, it goes on where it was stopped. With --ssh " +
          "its machine's identity is destroyed and its mirror emptied too, if it is reached; if not, that is said.",
      )
      .argument("<node>", "its name")
      .option("--from <pool>", "only from this pool; repeat for several", collect, [])
      .option("--disk-destroyed", "nobody can have its identity: no new epoch, nothing owed", false)
      .option(
        "--ssh <host>",
        "also destroy what this machine has of the node, as root there: ssh has to know it by the node's host key",
      )
      .option("--dry-run", "only say what would be done", false),
  );
  addGuidance(command, {
    examples: [
      "sealaunch roster remove-node n1 --dry-run",
      "sealaunch roster remove-node n1 --yes",
      "sealaunch roster remove-node n1 --from web --disk-destroyed --yes",
    ],
    runsOn: "laptop",
    needs: "a manager's key of its pools",
  });
  command.action(async (node: string, flags: RemoveNodeFlags) => {
    const { removeNode } = await import("../commands/roster/remove-node.ts");
    const { from, diskDestroyed, ssh: host, dryRun, signer } = flags;
    if (host !== undefined && (from.length > 0 || diskDestroyed)) {
      throw new Failure(
        "usage/invalid",
        "--ssh destroys the node's identity: not with --from, since it may be in other pools, nor with --disk-destroyed",
        `sealaunch roster remove-node ${node} --ssh ${host}`,
      );
    }
    const options = { pools: from, isDestroyed: diskDestroyed, dryRun, signer, host };
    await removeNode(createContext(command), node, options);
  });
}
