import type { Statement } from "../../formats/records/statement.ts";
import { describeGeneration } from "../../trust/statement.ts";
import type { Context } from "../context.ts";
import { reportStored } from "../copy/to-store.ts";

/** What a `seal` has made. */
export interface Sealed {
  readonly statement: Statement;
  readonly before: Statement | undefined;
  readonly signer: string;
}

/**
 * Tells what a `seal` has made, and what comes next.
 *
 * @param store - puts it into the Nix store, if it is to be there
 * @throws Failure what `store` does, once all else was told
 */
export async function reportSealed(
  context: Context,
  { statement, before, signer }: Sealed,
  store: (() => Promise<string>) | undefined,
): Promise<void> {
  const { name, audience, units, inPlace, expires } = statement;
  const generation = describeGeneration(statement);
  context.print(`sealed ${name} ${generation} for ${audience.join(", ")}, signed by ${signer}`);
  const change = (credential: Statement["credentials"][number]): string => {
    const old = before?.credentials.find((other) => other.name === credential.name);
    if (old === undefined) return "new";
    return old.payload === credential.payload ? "unchanged" : "replaced";
  };
  const removed = (before?.credentials ?? []).filter((old) =>
    statement.credentials.every((credential) => credential.name !== old.name),
  );
  await context.table(
    ["credential", "", "sealed"],
    [
      ...statement.credentials.map((credential) => [
        credential.name,
        change(credential),
        credential.sealed,
      ]),
      ...removed.map((credential) => [credential.name, "removed", credential.sealed]),
    ],
  );
  const who = [...units, ...(inPlace ? ["whoever launches in place"] : [])];
  context.print(
    `may ask: ${who.length === 0 ? "nobody yet; add --unit UNIT or --in-place" : who.join(", ")}`,
  );
  if (expires !== null) context.print(`expires: ${expires}`);
  context.print(`next: sealaunch verify ${name}`);
  const [stored] = await Promise.allSettled([store?.()]);
  const path = stored.status === "fulfilled" ? stored.value : undefined;
  const { series, generation: number } = statement;
  context.result({
    name,
    series,
    generation: number,
    statement,
    ...(path === undefined ? {} : { path }),
  });
  if (stored.status === "rejected") throw stored.reason;
  if (path !== undefined) tellStored(context, path);
}

/** Tells where a bundle is in the Nix store that was sealed before. @throws Failure what `store` does */
export async function reportStoring(context: Context, store: () => Promise<string>): Promise<void> {
  const path = await store();
  context.result({ path });
  tellStored(context, path);
}

function tellStored(context: Context, path: string): void {
  context.print(`the Nix store has it as ${path}`);
  reportStored(context, [path]);
}
