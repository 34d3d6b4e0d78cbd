import { resolve } from "node:path";
import { readRoster, requireStatement, type Cluster } from "../cluster/cluster.ts";
import { readIdentity } from "../cluster/identities.ts";
import { openCredentials, selectCredentials, type OpenedCredential } from "../cluster/opening.ts";
import { wipe } from "../crypto/bytes.ts";
import { parseIdentityFile, type Identity } from "../crypto/identity.ts";
import { Failure } from "../failure.ts";
import { parseName } from "../formats/names.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import type { VerifiedStatement } from "../trust/statement.ts";
import type { Context } from "./context.ts";
import { openHere } from "./repository.ts";

/**
 * The identity in a file, or on standard input for `-`. The caller wipes its seed.
 *
 * @throws Failure as `readIdentity`
 */
export async function identityFrom(context: Context, file: string): Promise<Identity> {
  if (file !== "-") return readIdentity(resolve(context.directory, file));
  const bytes = await context.input();
  try {
    return parseIdentityFile(bytes, "standard input");
  } finally {
    wipe(bytes);
  }
}

/**
 * Credentials of a bundle, opened with the identity in a file, of which nothing stays. The caller wipes
 * the values.
 *
 * @param file - `-` for standard input
 * @throws Failure as `readIdentity` and `openCredentials`
 */
export async function openWithFile(
  context: Context,
  cluster: Cluster,
  roster: VerifiedRoster,
  statement: VerifiedStatement,
  { names, file }: { readonly names: readonly string[]; readonly file: string },
): Promise<readonly OpenedCredential[]> {
  const identity = await identityFrom(context, file);
  try {
    return await openCredentials(cluster, roster, statement, [identity], { names });
  } finally {
    wipe(identity.seed);
  }
}

/** Writes one credential's bytes to standard output, exactly as they were sealed. */
export async function open(
  context: Context,
  name: string,
  credential: string | undefined,
  options: { readonly identity: string },
): Promise<void> {
  const bundle = parseName("bundle", name);
  const cluster = await openHere(context);
  const { record: roster } = await readRoster(cluster);
  const statement = await requireStatement(cluster, roster, bundle);
  const wanted = selectCredentials(statement, credential === undefined ? undefined : [credential]);
  if (wanted.length !== 1) {
    const names = wanted.map((one) => one.name).join(", ");
    throw new Failure(
      "usage/invalid",
      `bundle ${bundle} has several credentials: ${names}`,
      `sealaunch open ${bundle} ${wanted[0]?.name ?? "CREDENTIAL"} --identity FILE`,
    );
  }
  const names = wanted.map((one) => one.name);
  const what = { names, file: options.identity };
  for (const { value } of await openWithFile(context, cluster, roster, statement, what)) {
    await context.output(value);
    wipe(value);
  }
}
