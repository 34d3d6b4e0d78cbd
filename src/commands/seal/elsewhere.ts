import { join } from "node:path";
import { readRoster, requireStatement } from "../../cluster/cluster.ts";
import { openRepository, repositoryFile, requireRepository } from "../../cluster/configuration.ts";
import type { Context } from "../context.ts";
import { openWithFile } from "../open.ts";
import type { StatementBase } from "./earlier.ts";

/** From where a bundle's values are taken. */
export interface ElsewhereOptions {
  /** The directory of another cluster's `sealaunch.json`, which says whom to trust there. */
  readonly directory: string;
  /** The file of an operator's or member's identity there; `-` for standard input. */
  readonly identity: string;
}

/** A bundle as another cluster has it, to be sealed in this one. */
export interface Elsewhere {
  /** Who may have it. Nothing sealed comes along: what is sealed there opens for nobody here. */
  readonly base: StatementBase;
  /**
   * Its values by credential, but for those that aren't wanted. The caller wipes them.
   *
   * @throws Failure all that `openCredentials` does
   */
  open(unwanted: readonly string[]): Promise<Map<string, Uint8Array>>;
}

/**
 * The newest generation of the bundle of that name in another cluster, judged by that cluster's own roots.
 *
 * @throws Failure `configuration/missing`, `bundle/absent`; all that `readStatement` refuses
 */
export async function readElsewhere(
  context: Context,
  bundle: string,
  options: ElsewhereOptions,
): Promise<Elsewhere> {
  // That very directory's: what lies above it is another cluster, perhaps this one.
  const repository = await requireRepository(
    context.directory,
    join(options.directory, repositoryFile),
  );
  const cluster = await openRepository(repository, context.now);
  const { record: roster } = await readRoster(cluster);
  const statement = await requireStatement(cluster, roster, bundle);
  return {
    base: { ...statement, credentials: [] },
    open: async (unwanted) => {
      const names = statement.credentials
        .map(({ name }) => name)
        .filter((name) => !unwanted.includes(name));
      const what = { names, file: options.identity };
      const opened = await openWithFile(context, cluster, roster, statement, what);
      return new Map(opened.map(({ name, value }) => [name, value]));
    },
  };
}
