import { join } from "node:path";
import { componentOf, type Component, type DerivationFacts } from "../../scan/component.ts";
import { keysOf } from "../../scan/advisories/product-keys.ts";
import type { PublisherData } from "../../scan/report/report.ts";
import type { StoreTable } from "../../scan/store/table.ts";
import type { Context } from "../context.ts";
import { derivationsIn } from "../derivations.ts";
import { chooseCaches, type RecordFlags } from "./caches.ts";
import { findRecords } from "./records.ts";

/** Where it is looked for what a store path's name doesn't tell. */
export interface FactFlags extends RecordFlags {
  /** The root of the store in which derivations are looked for, if it isn't this machine's. */
  readonly store: string | undefined;
}

/** What is known now, and of whom that was asked. */
export interface Learnt {
  /** By the paths' numbers; those that more is known of in place of what their names say. */
  readonly components: ReadonlyMap<number, Component>;
  readonly publishers: PublisherData;
}

/**
 * What publishers, and where they don't the derivations that this machine has, say of those of `named`
 * that something is asked about; the others stay as their names say.
 *
 * @param isConcerned - whether something is asked about it, by its name: only of these it is looked for more
 * @throws Failure `usage/invalid`, `cache/…`, `configuration/invalid`, before anybody is asked
 */
export async function learn(
  context: Context,
  named: ReadonlyMap<number, Component>,
  table: StoreTable,
  isConcerned: (component: Component) => boolean,
  flags: FactFlags,
): Promise<Learnt> {
  const asked = await chooseCaches(context, flags);
  const concerned = [...named].filter(([, component]) => isConcerned(component));
  const paths = concerned.map(([, { path }]) => path);
  const { records, data } = await findRecords(context, paths, asked);
  const madeBy = derivationsIn((path) => join(flags.store ?? "/", path));
  const derived = (number: number, path: string): DerivationFacts | undefined => {
    for (const deriver of table.deriversOf(number)) {
      const made = madeBy(path, deriver);
      if (made !== undefined) return made.facts;
    }
    return undefined;
  };
  const components = new Map(named);
  for (const [number, { path }] of concerned) {
    const known = records.get(path) ?? derived(number, path);
    const component = known === undefined ? undefined : componentOf(path, known);
    if (component !== undefined) components.set(number, component);
  }
  return { components, publishers: data };
}

/** Whether advisories may speak of some of `later` by names that none of `earlier` has. */
export function haveNewNames(earlier: Iterable<Component>, later: Iterable<Component>): boolean {
  const known = new Set([...earlier].flatMap(keysOf));
  return [...later].some((component) => keysOf(component).some((key) => !known.has(key)));
}
