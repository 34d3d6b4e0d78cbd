import { requireThat, type Intended } from "./intended.ts";
import { hashOf, type Ledger, type View } from "./ledger.ts";

/** Returns if whoever looks without a key may call everything good. */
export function requireWhole(intended: Intended, view: View, ledger: Ledger): void {
  const roster = intended.roster();
  requireThat(!intended.isOver(roster.staleAfter), "the roster is stale");
  for (const { name } of roster.pools) {
    const file = intended.pool(roster, name);
    if (file === undefined) continue;
    requireThat(!intended.isOver(file.staleAfter), `pool file ${name} is stale`);
    const readers = [...intended.members(file).members, ...roster.operators];
    for (const { recipient } of readers)
      requireThat(view.has(intended.entryPath(file, recipient)), `${name} has no entry`);
  }
  const bundles = [...view.keys()].flatMap(
    (path) => /^bundles\/(.+)\/[0-9]+\.[0-9]+\//u.exec(path)?.[1] ?? [],
  );
  for (const bundle of new Set(bundles)) {
    const statement = intended.statement(roster, bundle);
    const minimum = roster.names.find(({ name }) => name === bundle)?.minimum ?? 0;
    requireThat(
      !intended.isOver(statement.expires) && statement.generation >= minimum,
      "out of use",
    );
    for (const { payload, epochs } of statement.credentials) {
      const bytes = view.get(`bundles/${bundle}/values/${payload}`);
      requireThat(
        bytes !== undefined && hashOf(bytes) === payload && ledger.payloads.has(payload),
        "payload",
      );
      for (const pool of statement.audience) {
        const file = intended.pool(roster, pool);
        requireThat(file !== undefined, `no pool ${pool}`);
        const { epoch } = file.current;
        requireThat(view.has(`headers/${pool}/${String(epoch)}/${bundle}/${payload}`), "header");
        requireThat(
          epochs.every((one) => one.pool !== pool || one.epoch >= epoch),
          "a value is owed",
        );
      }
    }
  }
}
