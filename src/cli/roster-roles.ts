import type { Command } from "commander";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";
import { changing, count } from "./options.ts";

interface Flags {
  readonly signer?: string;
}

/** The part of `roster` that says what counts of what was signed, and whose signatures do. */
export function addRoles(family: Command): void {
  addRemoveSigner(family);
  addManagers(family);
  addRoots(family);
  addSetMinimum(family);
  addSetSeries(family);
}

function addRemoveSigner(family: Command): void {
  const command = changing(
    family
      .command("remove-signer")
      .description(
        "Let what somebody signs count no more. It says what nobody else has signed, and refuses " +
          "until somebody has: sealaunch seal NAME --resign.",
      )
      .argument("<name>", "the signer, as 'roster show' lists him")
      .option("--revoke", "let what only he signed start no more", false),
  );
  addGuidance(command, {
    examples: ["sealaunch roster remove-signer ann --revoke --yes"],
    runsOn: "laptop",
    needs: "a root key",
  });
  command.action(async (name: string, flags: Flags & { readonly revoke: boolean }) => {
    const { removeSigner } = await import("../commands/roster/remove-signer.ts");
    const { revoke, signer } = flags;
    await removeSigner(createContext(command), name, { revoke, signer });
  });
}

function addManagers(family: Command): void {
  const adding = changing(
    family
      .command("add-manager")
      .description("Let one more SSH key say who is in a pool.")
      .argument("<pool>", "the pool")
      .argument("<key.pub>", "the manager's SSH key"),
  );
  addGuidance(adding, {
    examples: ["sealaunch roster add-manager web bea.pub --yes"],
    runsOn: "laptop",
    needs: "a root key",
  });
  adding.action(async (pool: string, file: string, { signer }: Flags) => {
    const { addManager } = await import("../commands/roster/pool-keys.ts");
    await addManager(createContext(adding), pool, file, { signer });
  });
  const removing = changing(
    family
      .command("remove-manager")
      .description(
        "Let an SSH key no longer say who is in a pool. It refuses while no other has signed the " +
          "pool's file.",
      )
      .argument("<pool>", "the pool")
      .argument("<key.pub>", "the manager's SSH key"),
  );
  addGuidance(removing, {
    examples: ["sealaunch roster remove-manager web bea.pub --yes"],
    runsOn: "laptop",
    needs: "a root key",
  });
  removing.action(async (pool: string, file: string, { signer }: Flags) => {
    const { removeManager } = await import("../commands/roster/pool-keys.ts");
    await removeManager(createContext(removing), pool, file, { signer });
  });
}

interface RootFlags extends Flags {
  readonly threshold?: number;
}

function addRoots(family: Command): void {
  const threshold = ["--threshold <n>", "how many of the root keys have to sign", count] as const;
  const adding = changing(
    family
      .command("add-root")
      .description("Add a root key to the roster, or with --threshold change how many must sign.")
      .argument("<key.pub>", "the SSH key")
      .option(...threshold),
  );
  addGuidance(adding, {
    examples: ["sealaunch roster add-root bea.pub --yes"],
    runsOn: "laptop",
    needs: "a root key; as many as the threshold says",
  });
  adding.action(async (file: string, { threshold: least, signer }: RootFlags) => {
    const { addRoot } = await import("../commands/roster/roots.ts");
    await addRoot(createContext(adding), file, { threshold: least, signer });
  });
  const removing = changing(
    family
      .command("remove-root")
      .description(
        "Take a root key out of the roster. Configurations that name it have to be changed too.",
      )
      .argument("<key.pub>", "the SSH key")
      .option(...threshold),
  );
  addGuidance(removing, {
    examples: ["sealaunch roster remove-root bea.pub --yes"],
    runsOn: "laptop",
    needs: "a root key; as many as the threshold says",
  });
  removing.action(async (file: string, { threshold: least, signer }: RootFlags) => {
    const { removeRoot } = await import("../commands/roster/roots.ts");
    await removeRoot(createContext(removing), file, { threshold: least, signer });
  });
}

function addSetMinimum(family: Command): void {
  const command = changing(
    family
      .command("set-minimum")
      .description(
        "Put a bundle's generations below a number out of use, wherever they are pinned: " +
          "what leaked, or was sealed wrongly. It is never lowered.",
      )
      .argument("<name>", "the bundle")
      .argument("<generation>", "the least that still counts", count),
  );
  addGuidance(command, {
    examples: ["sealaunch roster set-minimum dns 1 --yes"],
    runsOn: "laptop",
    needs: "a root key",
  });
  command.action(async (name: string, minimum: number, { signer }: Flags) => {
    const { setMinimum } = await import("../commands/roster/names.ts");
    await setMinimum(createContext(command), name, minimum, { signer });
  });
}

function addSetSeries(family: Command): void {
  const command = changing(
    family
      .command("set-series")
      .description(
        "Begin a bundle's generations anew, where a signer used up their numbers or left a newest " +
          "one that nobody may sign any more. It is never lowered; nothing starts until it is sealed.",
      )
      .argument("<name>", "the bundle")
      .argument("<series>", "its new series, above the one before", count),
  );
  addGuidance(command, {
    examples: ["sealaunch roster set-series dns 1 --yes"],
    runsOn: "laptop",
    needs: "a root key",
  });
  command.action(async (name: string, series: number, { signer }: Flags) => {
    const { setSeries } = await import("../commands/roster/names.ts");
    await setSeries(createContext(command), name, series, { signer });
  });
}
