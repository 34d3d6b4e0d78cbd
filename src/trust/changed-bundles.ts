import type { Decision } from "../formats/decision.ts";
import type { Statement } from "../formats/records/statement.ts";

/**
 * The bundles whose newest generation has another payload than a start got, for a credential that it got.
 * One that says the same of them anew, for other dates, pools or units, isn't among them.
 *
 * @param payloads - what a start got
 */
export function changedBundles<T extends Pick<Statement, "name" | "credentials">>(
  payloads: NonNullable<Decision["payloads"]>,
  newest: readonly T[],
): T[] {
  return newest.filter(({ name, credentials }) =>
    payloads.some(
      ({ bundle, credential, payload }) =>
        bundle === name && credentials.find((one) => one.name === credential)?.payload !== payload,
    ),
  );
}
