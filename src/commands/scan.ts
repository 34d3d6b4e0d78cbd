import { requireRepository } from "../cluster/configuration.ts";
import { Failure } from "../failure.ts";
import { conclusionOf, type FailLevel } from "../scan/conclusion.ts";
import { findingsIn } from "../scan/findings.ts";
import type { Finding, ScanReport } from "../scan/report.ts";
import { componentsOf } from "../scan/scanned-store.ts";
import { createStoreTable, type StoreTable } from "../scan/store-table.ts";
import { judge } from "../scan/verdict.ts";
import { judgeWanted, parseWantedPackage } from "../scan/wanted-package.ts";
import type { Context } from "./context.ts";
import { openWithMarks } from "./repository.ts";
import { clusterOrigins } from "./scan-cluster.ts";
import { fileOrigin, hereOrigin, sshOrigin } from "./scan-elsewhere.ts";
import { writeReportFiles, type ReportFiles } from "./scan-files.ts";
import { readEarlier, tell, tellChanges } from "./scan-report.ts";
import { tellService } from "./scan-service.ts";
import { ahead, gather, type Gathered, type Origin } from "./scan-stores.ts";

/** What `scan` is asked to do. */
export interface ScanOptions {
  /** Nodes of the cluster; all of them, or the pool's, if none is named and no other machine is. */
  readonly nodes: readonly string[];
  readonly pool: string | undefined;
  readonly here: boolean;
  readonly ssh: readonly string[];
  readonly dumps: readonly string[];
  /** `NAME[@RANGE]`. */
  readonly packages: readonly string[];
  readonly service: string | undefined;
  /** Files of advisories, and folders of such. */
  readonly advisories: readonly string[];
  /** Files in which it is said what is to be ignored. */
  readonly rules: readonly string[];
  /** What `scan --json` wrote before. */
  readonly since: string | undefined;
  /** When the newest advisory is older, all are stale. */
  readonly staleDays: number;
  readonly failOn: FailLevel | undefined;
  readonly maxAgeDays: number;
  readonly files: ReportFiles;
}

/**
 * Tells what is vulnerable on which machines, or where a package is, and whom it concerns.
 *
 * @throws Failure `scan/vulnerable`, `scan/unknown`, `scan/stale`, in this order, after the report;
 *   all that reading the cluster refuses
 */
export async function scan(context: Context, options: ScanOptions): Promise<void> {
  const wanted = options.packages.map(parseWantedPackage);
  const { advisories: places, service, since } = options;
  if (wanted.length === 0 && places.length === 0 && service === undefined) {
    throw new Failure(
      "usage/invalid",
      "there is nothing to look for",
      "give --advisories FILE, --package NAME or --service NAME",
    );
  }
  const before = since === undefined ? undefined : await readEarlier(context, since);
  // Only they need what reads archives and TOML.
  const { readAdvisoryFiles, readRuleFiles } = await import("./scan-advisories.ts");
  const rules = await readRuleFiles(context, options.rules);
  const table = createStoreTable();
  const gathered = await gatherAll(context, options, table);
  if (wanted.length === 0 && places.length === 0 && service !== undefined) {
    await tellService(context, service, gathered, table);
    return;
  }
  const components = componentsOf(gathered.stores, table);
  const { index, data } =
    places.length === 0
      ? { index: undefined, data: noAdvisories }
      : await readAdvisoryFiles(context, places, components.values(), options.staleDays);
  const all = findingsIn(gathered.stores, table, components, (one) => [
    ...judgeWanted(one, wanted),
    ...(index === undefined ? [] : judge(one, index, rules, context.now)),
  ]);
  const report: ScanReport = {
    version: 1,
    made: context.now.toISOString(),
    advisories: data,
    nodes: gathered.nodes,
    findings: service === undefined ? all : concerning(all, service),
  };
  if (before === undefined) await tell(context, report);
  else tellChanges(context, before, report);
  await writeReportFiles(context, report, options.files);
  const ending = conclusionOf(report, options.failOn);
  if (ending !== undefined) throw new Failure(ending.code, ending.message);
}

const noAdvisories = {
  files: [],
  count: 0,
  newest: undefined,
  ageDays: undefined,
  stale: false,
  skipped: 0,
} as const;

async function gatherAll(
  context: Context,
  options: ScanOptions,
  table: StoreTable,
): Promise<Gathered> {
  const origins = await originsOf(context, options);
  const nodes: Gathered["nodes"][number][] = [];
  const stores: Gathered["stores"][number][] = [];
  const ageing = { now: context.now, maxAgeDays: options.maxAgeDays };
  await context.each("node", ahead(origins), async (origin) => {
    const { node, store } = await gather(origin, table, ageing);
    nodes.push(node);
    if (store !== undefined) stores.push(store);
  });
  return { nodes, stores };
}

async function originsOf(context: Context, options: ScanOptions): Promise<Origin[]> {
  const { here, ssh, dumps, nodes, pool } = options;
  const elsewhere = [
    ...(here ? [hereOrigin(context)] : []),
    ...ssh.map((host) => sshOrigin(context, host)),
    ...dumps.map((file) => fileOrigin(context, file)),
  ];
  if (elsewhere.length > 0 && nodes.length === 0 && pool === undefined) return elsewhere;
  const repository = await requireRepository(context.directory, context.configuration);
  const cluster = await openWithMarks(context, repository);
  return [...elsewhere, ...(await clusterOrigins(cluster, { nodes, pool }))];
}

/** What concerns one service, and of it only that. */
function concerning(findings: readonly Finding[], service: string): Finding[] {
  const isMeant = (use: Finding["uses"][number]): boolean =>
    use.service === service || use.unit === service;
  return findings
    .map((finding) => ({ ...finding, uses: finding.uses.filter(isMeant) }))
    .filter(({ uses }) => uses.length > 0);
}
