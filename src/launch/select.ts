import type { ReadStatement } from "../cluster/cluster.ts";
import { Failure } from "../failure.ts";

/**
 * Which credentials of which statement a start gets: each from exactly one of its bundles.
 *
 * @param wanted - the credentials' names; all of them if undefined
 * @throws Failure `credential/missing` if no bundle has one; `usage/invalid` if two have it
 */
export function selectFrom(
  statements: readonly ReadStatement[],
  wanted: readonly string[] | undefined,
): ReadonlyMap<ReadStatement, readonly string[]> {
  const namesIn = ({ record }: ReadStatement): string[] =>
    record.credentials.map(({ name }) => name);
  const selected = new Map(statements.map((statement) => [statement, [] as string[]]));
  for (const name of new Set(wanted ?? statements.flatMap(namesIn))) {
    const [holder, other] = statements.filter((statement) => namesIn(statement).includes(name));
    if (holder === undefined) {
      const asked = statements.map(({ record }) => record.name).join(", ");
      throw new Failure("credential/missing", `no bundle of ${asked} has a credential ${name}`);
    }
    if (other !== undefined) {
      throw new Failure(
        "usage/invalid",
        `credential ${name} is in ${holder.record.name} and in ${other.record.name}`,
        "ask for one of the two bundles, or rename the credential in one of them",
      );
    }
    selected.get(holder)?.push(name);
  }
  return selected;
}
