import type { Component } from "../component.ts";
import type { Finding, Use } from "./report.ts";
import { numbersOf, type ScannedStore } from "../store/scanned-store.ts";
import { graphOfList } from "../store/graph.ts";
import type { StoreTable } from "../store/table.ts";
import { usesIn } from "../store/uses.ts";
import type { Judgement } from "../judgement.ts";

/** A finding of which more is still to be learnt. */
interface OpenFinding extends Finding {
  readonly paths: string[];
  readonly uses: Use[];
}

/**
 * What is to be said of all packages of some stores, and who needs them there. Each package is judged
 * once, and only what something is said of is traced.
 *
 * @param components - by the paths' numbers
 */
export function findingsIn(
  stores: readonly ScannedStore[],
  table: StoreTable,
  components: ReadonlyMap<number, Component>,
  judgementsOf: (component: Component) => readonly Judgement[],
): Finding[] {
  const findings = new Map<string, OpenFinding>();
  const byPath = new Map<number, readonly OpenFinding[]>();
  for (const [number, component] of components) {
    const about = judgementsOf(component).map((judgement) => {
      const key = keyOf(judgement);
      const finding = findings.get(key) ?? openFinding(judgement);
      findings.set(key, finding);
      finding.paths.push(component.path);
      return finding;
    });
    if (about.length > 0) byPath.set(number, about);
  }
  for (const store of stores) addUses(store, table, byPath);
  for (const { paths } of findings.values()) paths.sort();
  return [...findings.values()];
}

function addUses(
  store: ScannedStore,
  table: StoreTable,
  byPath: ReadonlyMap<number, readonly OpenFinding[]>,
): void {
  let usesOf: ReturnType<typeof usesIn> | undefined;
  for (const number of numbersOf(store, table)) {
    const about = byPath.get(number);
    if (about === undefined) continue;
    usesOf ??= usesIn({ graph: graphOfList(store.list, table), uses: store.uses() });
    const uses = usesOf(table.pathOf(number)).map((use) => ({ node: store.node, ...use }));
    for (const finding of about) finding.uses.push(...uses);
  }
}

const keyOf = ({ advisory, verdict, reason, component }: Judgement): string =>
  JSON.stringify([advisory, verdict, reason, component.name, component.version, component.from]);

function openFinding({ component, ...said }: Judgement): OpenFinding {
  const { name, version, from } = component;
  return { ...said, name, version, from, paths: [], uses: [] };
}
