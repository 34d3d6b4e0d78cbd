import type { HonestHistory } from "./honest-history.ts";
import { oneOf } from "./honest-steps.ts";
import { keyTricks } from "./key-tricks.ts";
import type { View } from "./ledger.ts";
import { sourceTricks } from "./source-tricks.ts";

/**
 * What a hostile source shows, and what was done to it in words.
 *
 * @param known - what an honest source had, step by step; the newest last
 */
export function hostileView(
  history: HonestHistory,
  known: readonly View[],
  chance: () => number,
): { readonly view: View; readonly told: string } {
  const now = known.length - 1;
  const then = chance() < 0.7 ? now : Math.floor(chance() * known.length);
  const view: View = new Map(known[then]);
  const told = [`the source of step ${String(then)}`];
  const enemy = { history, chance, known, view };
  const count = chance() < 0.15 ? 0 : 1 + Math.floor(chance() * 4);
  for (let trick = 0; trick < count && view.size > 0; trick++)
    told.push(oneOf(chance, chance() < 0.6 ? sourceTricks : keyTricks)(enemy));
  return { view, told: told.join("; ") };
}
