import { Failure } from "../../failure.ts";
import type { Component } from "../../scan/component.ts";
import { conclusionOf, type FailLevel } from "../../scan/report/conclusion.ts";
import { findingsIn } from "../../scan/report/findings.ts";
import type { Finding, ScanReport } from "../../scan/report/report.ts";
import { componentsOf } from "../../scan/store/scanned-store.ts";
import { createStoreTable } from "../../scan/store/table.ts";
import { judge } from "../../scan/verdict.ts";
import { isWanted, judgeWanted, parseWantedPackage } from "../../scan/store/wanted-package.ts";
import type { Context } from "../context.ts";
import type { ReadAdvisories } from "./advisories.ts";
import { requireFetched } from "./fetched.ts";
import { haveNewNames, learn, type FactFlags } from "./facts.ts";
import { writeReportFiles, type ReportFiles } from "./files.ts";
import { readEarlier, tell, tellChanges } from "./report.ts";
import { gatherAll, type MachineFlags } from "./gather.ts";
import { tellService } from "./service.ts";

/** What `scan` is asked to do. */
export interface ScanOptions extends MachineFlags, FactFlags {
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
  const { service, since } = options;
  const isNothingNamed = wanted.length + options.advisories.length === 0 && service === undefined;
  const places = isNothingNamed ? await requireFetched(context) : options.advisories;
  const before = since === undefined ? undefined : await readEarlier(context, since);
  // Only they need what reads archives and TOML.
  const { readAdvisoryFiles, readRuleFiles } = await import("./advisories.ts");
  const rules = await readRuleFiles(context, options.rules);
  const table = createStoreTable();
  const gathered = await gatherAll(context, options, table);
  if (wanted.length === 0 && places.length === 0 && service !== undefined) {
    await tellService(context, service, gathered, table);
    return;
  }
  const named = componentsOf(gathered.stores, table);
  const read = async (components: Iterable<Component>): Promise<Partial<ReadAdvisories>> =>
    places.length === 0 ? {} : readAdvisoryFiles(context, places, components, options.staleDays);
  let { index, data = noAdvisories } = await read(named.values());
  const isConcerned = (one: Component): boolean =>
    isWanted(one, wanted) || index?.concerns(one) === true;
  const { components, publishers } = await learn(context, named, table, isConcerned, options);
  // Advisories are kept by name: those for what turned out to have another were passed over.
  if (haveNewNames(named.values(), components.values()))
    ({ index, data = noAdvisories } = await read(components.values()));
  const all = findingsIn(gathered.stores, table, components, (one) => [
    ...judgeWanted(one, wanted),
    ...(index === undefined ? [] : judge(one, index, rules, context.now)),
  ]);
  const report: ScanReport = {
    version: 1,
    made: context.now.toISOString(),
    advisories: data,
    publishers,
    nodes: gathered.nodes,
    findings: service === undefined ? all : concerning(all, service),
  };
  if (before === undefined) await tell(context, report);
  else await tellChanges(context, before, report);
  await writeReportFiles(context, report, options.files);
  const ending = conclusionOf(report, options.failOn);
  if (ending !== undefined) throw new Failure(ending.code, ending.message, ending.hint);
}

const noAdvisories = {
  files: [],
  count: 0,
  newest: undefined,
  ageDays: undefined,
  stale: false,
  skipped: 0,
} as const;

/** What concerns one service, and of it only that. */
function concerning(findings: readonly Finding[], service: string): Finding[] {
  const isMeant = (use: Finding["uses"][number]): boolean =>
    use.service === service || use.unit === service;
  return findings
    .map((finding) => ({ ...finding, uses: finding.uses.filter(isMeant) }))
    .filter(({ uses }) => uses.length > 0);
}
