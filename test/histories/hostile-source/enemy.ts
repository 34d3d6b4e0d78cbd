import type { HonestHistory } from "./honest-history.ts";
import { oneOf } from "./honest-steps.ts";
import type { View } from "./ledger.ts";

/** Whoever owns the source, with the keys of a malicious signer, of a removed one and of evicted nodes. */
export interface Enemy {
  readonly history: HonestHistory;
  readonly chance: () => number;
  /** Views of the past up to now, the newest last. */
  readonly known: readonly View[];
  readonly view: View;
}

/** Something that the enemy does to what is shown; it says what. */
export type Trick = (enemy: Enemy) => string;

export const folderOf = (path: string): string =>
  /^(?:roster|pools\/[^/]+|bundles\/.+)\/[0-9.]+(?=\/)|^(?:entries|headers)\/[^/]+\/[0-9]+/u.exec(
    path,
  )?.[0] ?? path;

export const pathIn = ({ view, known, chance }: Enemy, prefix = ""): string => {
  const within = (one: View): string[] => [...one.keys()].filter((path) => path.startsWith(prefix));
  // What is left of the view, or else what there was.
  const left = within(view);
  const paths = left.length > 0 ? left : known.flatMap(within);
  // First among the kinds, so that the few rosters are met as often as the many headers.
  const kind = oneOf(chance, [...new Set(paths.map((path) => path.split("/", 1)[0] ?? ""))]);
  return oneOf(
    chance,
    paths.filter((path) => path.startsWith(`${kind}/`)),
  );
};

/** The folder of a signed object's generation; of one that was, if none is left. */
export const generationIn = (enemy: Enemy): string => {
  const { view, known, chance } = enemy;
  const folders = (one: View): string[] =>
    [...one.keys()]
      .map(folderOf)
      .filter((path) => /^(?:roster|pools|bundles).*\/[0-9.]+$/u.test(path));
  const left = folders(view);
  return oneOf(chance, left.length > 0 ? left : known.flatMap(folders));
};
