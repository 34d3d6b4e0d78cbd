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

/**
 * More than what may be delivered to one start has when it is sealed: in base64 and padded it is at most 2.7 times
 * as much.
 */
const maxSealedSize = 64 * 1024 * 1024;

/**
 * Returns if what is read for a start is no more than could be delivered to one: a signer of one name could else
 * have a node read, for his own unit, as much as its memory doesn't hold.
 *
 * @param selected - as {@link selectFrom} gives it
 * @throws Failure `credential/too-large`
 */
export function requireDeliverable(selected: ReadonlyMap<ReadStatement, readonly string[]>): void {
  const sizes = [...selected].flatMap(([{ record }, names]) =>
    record.credentials.filter(({ name }) => names.includes(name)).map(({ sizeClass }) => sizeClass),
  );
  const size = sizes.reduce((sum, one) => sum + one, 0);
  if (size <= maxSealedSize) return;
  const asked = [...selected.keys()].map(({ record }) => record.name).join(", ");
  throw new Failure(
    "credential/too-large",
    `the ${String(sizes.length)} credentials of ${asked} have together ${String(size)} bytes when they are sealed, and a start is given at most ${String(maxSealedSize)}`,
    "ask for fewer of them with --credential NAME, or let the service be several units",
  );
}
