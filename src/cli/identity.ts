import { Option, type Command } from "commander";
import { Failure } from "../failure.ts";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";

/** As `systemd-creds --with-key=` has them. */
const keys = ["auto", "host", "tpm2", "host+tpm2"] as const;

interface CreateFlags {
  readonly into?: string;
  readonly hostKey: string;
  readonly node?: string;
  readonly state?: string;
  readonly mirror?: string;
  readonly withKey?: (typeof keys)[number];
  readonly plainIdentity: boolean;
  readonly announce: boolean;
}

/** `identity create`, `identity show`, `identity rotate`: the key pairs of operators and nodes. */
export function addIdentity(program: Command): void {
  const family = program
    .command("identity")
    .description("Make, show and rotate the key pairs that open what is sealed.");
  addCreate(family);
  addShow(family);
  addRotate(family);
}

function addCreate(family: Command): void {
  const command = family
    .command("create")
    .description(
      "Make an identity: an operator's in a file, or with --into a node's, with the card that " +
        "enrols it, signed by its SSH host key. In /etc/sealaunch it is encrypted to this machine, as " +
        "systemd-creds(1) does. Never overwrites anything.",
    )
    .argument("[file]", "where an operator's identity comes to lie")
    .option("--into <dir>", "a node's directory, usually /etc/sealaunch")
    .option(
      "--host-key <file>",
      "the node's SSH host key, which signs its card (/etc/ssh/ssh_host_ed25519_key)",
      "/etc/ssh/ssh_host_ed25519_key",
    )
    .option("--node <name>", "the node's name (the machine's own)")
    .option("--state <dir>", "where the node keeps what it has seen (/var/lib/sealaunch)")
    .option(
      "--mirror <dir>",
      "where sync is to keep what the node needs (none: the source is read)",
    )
    .addOption(
      new Option(
        "--with-key <key>",
        "what the identity is encrypted to; in /etc/sealaunch it is auto: TPM where there is one, and host key",
      ).choices(keys),
    )
    .addOption(
      new Option("--plain-identity", "a plain file, which a stolen disk gives away")
        .default(false)
        .conflicts("withKey"),
    )
    .option("--announce", "also put the card into the source, for a manager to find", false);
  addGuidance(command, {
    examples: [
      "sealaunch identity create second.identity",
      "sealaunch identity create --into n3 --node n3 --host-key n1_host_key --announce",
    ],
    runsOn: "an operator's machine; a node, as root",
    needs: "nothing; a node's SSH host key",
  });
  command.action(async (file: string | undefined, flags: CreateFlags) => {
    const context = createContext(command);
    if (file !== undefined && flags.into === undefined) {
      const { createOperatorIdentity } = await import("../commands/identity/create.ts");
      await createOperatorIdentity(context, file);
    } else if (file === undefined && flags.into !== undefined) {
      const { createNodeIdentity } = await import("../commands/identity/node.ts");
      const { into, hostKey, node, state, mirror, withKey, announce: announces } = flags;
      const key = flags.plainIdentity ? ("plain" as const) : withKey;
      await createNodeIdentity(context, {
        ...{ into, hostKey, node, state, mirror, announces },
        key,
      });
    } else {
      throw new Failure(
        "usage/invalid",
        "'sealaunch identity create' needs a file, or --into DIR, and not both",
        "an operator: sealaunch identity create operator.identity; a node: sealaunch identity create --into /etc/sealaunch",
      );
    }
  });
}

function addShow(family: Command): void {
  const command = family
    .command("show")
    .description("Tell the public half of an identity, and what a node's card says.")
    .argument("<place>", "an identity's file, a node's directory, or a card")
    .option("--card", "only the card; the identity isn't read", false)
    .option("--recipient", "print nothing but the recipient", false);
  addGuidance(command, {
    examples: [
      "sealaunch identity show operator.identity",
      "sealaunch identity show keys/nodes/n1 --card",
    ],
    runsOn: "an operator's machine; a node, as root",
    needs: "the identity, or only the card",
  });
  command.action(
    async (place: string, flags: { readonly card: boolean; readonly recipient: boolean }) => {
      const { showIdentity } = await import("../commands/identity/show.ts");
      await showIdentity(createContext(command), place, flags);
    },
  );
}

function addRotate(family: Command): void {
  const command = family
    .command("rotate")
    .description(
      "Make this node's next identity, beside the present one, and announce it with a card that its " +
        "SSH host key signs. Both open until a manager has signed and 'sealaunch rewrap' ran here.",
    )
    .option(
      "--host-key <file>",
      "the node's SSH host key, which signs its card",
      "/etc/ssh/ssh_host_ed25519_key",
    );
  addGuidance(command, {
    examples: ["sealaunch identity rotate --config n1/node.json --host-key n1_host_key"],
    runsOn: "a node, as root",
    needs: "the node's identity and SSH host key",
  });
  command.action(async (flags: { readonly hostKey: string }) => {
    const { rotateIdentity } = await import("../commands/identity/rotate.ts");
    await rotateIdentity(createContext(command), flags);
  });
}
