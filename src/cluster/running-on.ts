import { hex } from "../crypto/bytes.ts";
import { sha256 } from "../crypto/digest.ts";
import { Failure } from "../failure.ts";
import { recordFile, statementPath } from "../formats/paths.ts";
import type { Member } from "../formats/records/pool.ts";
import type { Report, ReportedBundle, ReportedService } from "../formats/records/report.ts";
import { decodeStatement, maxStatementSize, type Statement } from "../formats/records/statement.ts";
import { inParallel } from "../host/in-parallel.ts";
import type { Source } from "../sources/source.ts";
import { changedBundles } from "../trust/changed-bundles.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { describeGeneration } from "../trust/statement.ts";
import { readMembers, requirePool, type Cluster, type ReadStatement } from "./cluster.ts";
import type { Marks } from "./marks.ts";
import { createNewest, type Newest } from "./newest.ts";
import { readReport } from "./reports.ts";

/** What is asked of nodes. */
export interface Asked {
  /** Whose members are looked at. */
  readonly pools: readonly string[];
  /** Only what asks for this bundle; all that they run if undefined. */
  readonly bundle: string | undefined;
  /** The generation that is enough; 0 for the newest. */
  readonly floor: number;
}

/** One line of what a node runs: a unit and one of its bundles, or why nothing is known of the node. */
export interface RunningOn {
  readonly node: string;
  readonly unit: string | undefined;
  readonly bundle: string | undefined;
  readonly has: string | undefined;
  readonly newest: string | undefined;
  readonly isBehind: boolean;
  /** For people. */
  readonly why: string;
  /** Of what keeps it behind, where that is a failure. */
  readonly code: string | undefined;
}

/** A report that is older says nothing of now: nodes write one each hour. */
const oldAfterMs = 2 * 3_600_000;
const atOnce = 32;

/**
 * What the members of pools run, by node and unit, as they themselves have reported it.
 *
 * @param marks - of whoever looks; a report that is older than one he has seen counts as none
 * @throws Failure all that reading the roster's pools and their member lists refuses; `bundle/absent` and
 *   all that `judgeStatement` refuses, of the bundle that is asked for
 */
export async function listRunningOn(
  cluster: Cluster,
  marks: Marks,
  roster: VerifiedRoster,
  asked: Asked,
): Promise<RunningOn[]> {
  const members = new Map<string, Member>();
  for (const name of asked.pools) {
    const pool = await requirePool(cluster, roster, name);
    for (const member of (await readMembers(cluster.source, pool)).members) {
      members.set(member.node, member);
    }
  }
  const newest = createNewest(cluster, roster);
  if (asked.bundle !== undefined) {
    const read = await newest(asked.bundle);
    if (read instanceof Failure) throw read;
  }
  const all = [...members.values()].sort((a, b) => (a.node < b.node ? -1 : 1));
  const rows = await inParallel(atOnce, all, (member) =>
    rowsOf(cluster, marks, member, newest, asked),
  );
  return rows.flat();
}

async function rowsOf(
  cluster: Cluster,
  marks: Marks,
  { node, hostKey }: Member,
  newest: Newest,
  asked: Asked,
): Promise<RunningOn[]> {
  const nothing = {
    node,
    unit: undefined,
    bundle: asked.bundle,
    has: undefined,
    newest: undefined,
  };
  let report: Report;
  try {
    const place = { cluster: cluster.trusted.cluster, node, hostKey };
    report = await readReport(cluster.source, marks, place);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const why =
      error.code === "inventory/absent" ? "no report" : `no report that counts: ${error.message}`;
    return [{ ...nothing, isBehind: true, why, code: error.code }];
  }
  if (cluster.now.getTime() - Date.parse(report.issued) > oldAfterMs) {
    const why = `its last report is of ${report.issued}`;
    return [{ ...nothing, isBehind: true, why, code: undefined }];
  }
  const rows: RunningOn[] = [];
  for (const service of report.services) {
    const names = new Set([...service.wants, ...service.bundles.map(({ name }) => name)]);
    for (const bundle of [...names].sort()) {
      if (asked.bundle !== undefined && asked.bundle !== bundle) continue;
      const row = await rowOf(cluster.source, service, bundle, await newest(bundle), asked.floor);
      rows.push({ node, unit: service.unit, bundle, ...row });
    }
  }
  if (rows.length > 0) return rows;
  const why = asked.bundle === undefined ? "runs nothing" : "runs nothing with it";
  return [{ ...nothing, isBehind: false, why, code: undefined }];
}

type Judged = Omit<RunningOn, "node" | "unit" | "bundle">;

async function rowOf(
  source: Source,
  { bundles, refusal }: ReportedService,
  bundle: string,
  read: ReadStatement | Failure,
  floor: number,
): Promise<Judged> {
  const started = bundles.find(({ name }) => name === bundle);
  const has = started === undefined ? undefined : describeGeneration(started);
  if (read instanceof Failure) {
    const why = `the newest is unknown: ${read.message}`;
    return { has, newest: undefined, isBehind: true, why, code: read.code };
  }
  const { record } = read;
  const row = { has, newest: describeGeneration(record) };
  const refused =
    refusal === null ? undefined : { why: `refused: ${refusal.message}`, code: refusal.code };
  if (started === undefined) {
    return { ...row, isBehind: true, code: undefined, why: "doesn't run", ...refused };
  }
  const isSame = hex(sha256(read.bytes)) === started.statement;
  const enough = { series: record.series, generation: floor > 0 ? floor : record.generation };
  if (started.series === enough.series && started.generation >= enough.generation) {
    if (isSame || started.generation !== record.generation) {
      return { ...row, isBehind: false, why: "current", code: undefined };
    }
    const why = "has another bundle of that number than the source";
    return { ...row, isBehind: true, why, code: "mark/equivocation" };
  }
  if (floor === 0 && (await hasSameValues(source, started, record))) {
    return { ...row, isBehind: false, why: "current: the same values", code: undefined };
  }
  return { ...row, isBehind: true, code: undefined, why: "restart owed", ...refused };
}

/** Whether what a service has of a bundle are the payloads of the newest generation too. */
async function hasSameValues(
  source: Source,
  { name, series, generation, statement, credentials }: ReportedBundle,
  newest: Statement,
): Promise<boolean> {
  const path = `${statementPath(name, series, generation)}/${recordFile.statement}`;
  const bytes = await source.read(path, maxStatementSize);
  // What the hash vouches for is what the node has verified, by its own word.
  if (bytes === undefined || hex(sha256(bytes)) !== statement) return false;
  const payloads = decodeStatement(bytes)
    .credentials.filter((one) => credentials.includes(one.name))
    .map((one) => ({ bundle: name, credential: one.name, payload: one.payload }));
  return payloads.length > 0 && changedBundles(payloads, [newest]).length === 0;
}
