import type { Statement } from "../formats/records/statement.ts";
import { describeGeneration } from "../trust/statement.ts";
import type { Context } from "./context.ts";

/** Tells what a `seal` has made, and what comes next. */
export async function reportSealed(
  context: Context,
  statement: Statement,
  before: Statement | undefined,
  signer: string,
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
  context.result({ name, series: statement.series, generation: statement.generation, statement });
}
