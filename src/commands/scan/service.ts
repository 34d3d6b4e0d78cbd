import { Failure } from "../../failure.ts";
import { componentOf } from "../../scan/component.ts";
import { conclusionOf } from "../../scan/report/conclusion.ts";
import { graphOfList } from "../../scan/store/graph.ts";
import type { StoreTable } from "../../scan/store/table.ts";
import { pathsOfUnit } from "../../scan/store/uses.ts";
import { compareVersions } from "../../scan/version.ts";
import type { Context } from "../context.ts";
import type { Gathered } from "./stores.ts";

interface Needed {
  readonly name: string;
  readonly version: string | undefined;
  readonly paths: Set<string>;
  readonly nodes: Set<string>;
}

/**
 * Tells which packages a service needs, in which versions, and on which machines.
 *
 * @throws Failure `unit/absent` if no machine that is known has it; `scan/unknown` after the rest
 */
export async function tellService(
  context: Context,
  service: string,
  { nodes, stores }: Gathered,
  table: StoreTable,
): Promise<void> {
  const unit = service.endsWith(".service") ? service : `${service}.service`;
  const found = new Map<string, Needed>();
  for (const store of stores) {
    const graph = graphOfList(store.list, table);
    for (const path of pathsOfUnit({ graph, uses: store.uses() }, unit)) {
      const component = componentOf(path);
      if (component === undefined) continue;
      const { name, version } = component;
      const key = JSON.stringify([name, version]);
      const needed = found.get(key) ?? { name, version, paths: new Set(), nodes: new Set() };
      found.set(key, needed);
      needed.paths.add(path);
      needed.nodes.add(store.node);
    }
  }
  const packages = [...found.values()].sort(
    (a, b) =>
      (a.name < b.name ? -1 : a.name > b.name ? 1 : 0) ||
      compareVersions(a.version ?? "", b.version ?? ""),
  );
  for (const { name, state, reason } of nodes)
    if (state === "unknown") context.print(`unknown: ${name}: ${reason ?? ""}`);
  if (packages.length > 0) {
    await context.table(
      ["package", "version", "nodes", "on"],
      packages.map(({ name, version, nodes: on }) => [
        name,
        version ?? "?",
        String(on.size),
        [...on].slice(0, 3).join(", "),
      ]),
    );
  }
  context.result({
    service: unit,
    nodes: nodes.map(({ reason, taken, ...node }) => ({
      ...node,
      reason: reason ?? null,
      taken: taken ?? null,
    })),
    packages: packages.map(({ name, version, paths, nodes: on }) => ({
      name,
      version: version ?? null,
      paths: [...paths].sort(),
      nodes: [...on].sort(),
    })),
  });
  conclude(unit, packages.length > 0, nodes);
}

function conclude(unit: string, isFound: boolean, nodes: Gathered["nodes"]): void {
  const advisories = { files: [], count: 0, newest: undefined, ageDays: undefined };
  const data = { ...advisories, stale: false, skipped: 0 };
  const publishers = { caches: [], asked: 0, recorded: 0, refused: [] };
  const ending = conclusionOf(
    { version: 1, made: "", advisories: data, publishers, nodes, findings: [] },
    undefined,
  );
  if (ending !== undefined) throw new Failure(ending.code, ending.message);
  if (isFound) return;
  throw new Failure(
    "unit/absent",
    `no machine that was looked at has ${unit}, or it needs nothing of the store`,
    "see which there are, on a node: sealaunch inventory",
  );
}
