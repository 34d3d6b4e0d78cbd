import { checkHeader, checkPayload } from "../../cluster/checking.ts";
import { readStatementAt, type Cluster } from "../../cluster/cluster.ts";
import type { StatementChoice } from "../../cluster/sealing.ts";
import { Failure } from "../../failure.ts";
import type { StatementCredential } from "../../formats/records/statement.ts";
import type { VerifiedPool } from "../../trust/pool.ts";
import { rosterName, type VerifiedRoster } from "../../trust/roster.ts";
import {
  describeGeneration,
  type StatementPlace,
  type VerifiedStatement,
} from "../../trust/statement.ts";

/** What the next statement is made from. */
export type StatementBase = StatementChoice & Pick<VerifiedStatement, "credentials">;

/** The payload that a credential must still have: what is sealed was made from that. */
export interface Replaced {
  readonly credential: string;
  readonly payload: string;
}

/** @throws Failure `generation/conflict` if somebody has sealed the credential since it was read */
export function requireUnreplaced(
  bundle: string,
  replaced: Replaced | undefined,
  before: StatementBase | undefined,
): void {
  if (replaced === undefined) return;
  const { credential, payload } = replaced;
  const present = before?.credentials.find(({ name }) => name === credential);
  if (present?.payload === payload) return;
  throw new Failure(
    "generation/conflict",
    `somebody else has ${present === undefined ? "removed" : "sealed"} credential ${credential} of ${bundle} in the meantime, so what was edited isn't sealed`,
    `edit theirs: sealaunch edit ${bundle} ${credential} --identity FILE`,
  );
}

/**
 * The values of an earlier generation, for whoever may ask for the bundle now: who may have it and
 * until when isn't taken back with them.
 *
 * @param text - `17`, or `0.17` for one of an earlier series
 * @param pools - the audience that was asked for; none for that of the newest
 * @throws Failure `usage/invalid`, `bundle/absent`; `bundle/values-needed` if the values were
 *   sealed for others than those that the next statement would be for; all that
 *   `readStatementAt` refuses
 */
export async function readEarlier(
  cluster: Cluster,
  roster: VerifiedRoster,
  bundle: string,
  text: string,
  newest: VerifiedStatement | undefined,
  pools: readonly string[],
): Promise<StatementBase> {
  const place = parsePlace(roster, bundle, text);
  const what = `bundle ${bundle} ${describeGeneration(place)}`;
  const earlier = (await readStatementAt(cluster, roster, place))?.record;
  if (earlier === undefined) {
    throw new Failure("bundle/absent", `${cluster.source.name} has no ${what}`);
  }
  const { audience, units, inPlace, expires } = newest ?? earlier;
  if (pools.length === 0 && earlier.audience.join() !== audience.join()) {
    const asked = earlier.audience.map((pool) => ` --pool ${pool}`).join("");
    throw new Failure(
      "bundle/values-needed",
      `${what} is for ${earlier.audience.join(", ")}, the newest for ${audience.join(", ")}: its values can't be read by others`,
      `if they are to have it again: sealaunch seal ${bundle} --from-generation ${text}${asked}`,
    );
  }
  return { audience: earlier.audience, units, inPlace, expires, credentials: earlier.credentials };
}

function parsePlace(roster: VerifiedRoster, bundle: string, text: string): StatementPlace {
  const { series } = rosterName(roster, bundle);
  const [, earlier, generation] = /^(?:([0-9]{1,15})\.)?([1-9][0-9]{0,14})$/u.exec(text) ?? [];
  if (generation !== undefined) {
    return {
      bundle,
      series: earlier === undefined ? series : Number(earlier),
      generation: Number(generation),
    };
  }
  throw new Failure(
    "usage/invalid",
    `--from-generation ${JSON.stringify(text.slice(0, 40))} is no generation`,
    `sealaunch seal ${bundle} --from-generation 17`,
  );
}

/**
 * Returns if the values can be opened by the pools as they are today, as far as that can be told
 * without a key: old payloads and headers may have been removed since.
 *
 * @throws Failure `header/absent`, `payload/absent`, and what else is wrong with one
 */
export async function requireSealed(
  cluster: Cluster,
  bundle: string,
  credentials: readonly StatementCredential[],
  pools: readonly VerifiedPool[],
): Promise<void> {
  for (const credential of credentials) {
    await checkPayload(cluster, bundle, credential);
    for (const pool of pools) await checkHeader(cluster, bundle, credential, pool);
  }
}
