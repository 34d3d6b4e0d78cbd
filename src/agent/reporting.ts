import { writeReport, readOwnReport } from "../cluster/reports.ts";
import { openOutbox } from "../cluster/node-source.ts";
import type { Located } from "../cluster/configuration.ts";
import { Failure } from "../failure.ts";
import type { NodeConfiguration } from "../formats/configuration.ts";
import { formatTime } from "../formats/fields.ts";
import {
  encodeReport,
  maxReportSize,
  type Report,
  type ReportedService,
} from "../formats/records/report.ts";
import { namespaces, parseSignature, verifySignature } from "../formats/sshsig/signature.ts";
import { sign } from "../host/ssh/ssh.ts";
import { requestSync } from "../host/sync-socket.ts";
import { showUnit, type UnitFacts } from "../host/systemd/systemd.ts";
import { syncSocket } from "../service/delivery.ts";
import type { Refusal } from "./refusal.ts";
import { listRunningUnits, type RunningUnit } from "./running-units.ts";
import { wantedBy } from "./wanted.ts";

const defaultHostKey = "/etc/ssh/ssh_host_ed25519_key";
/** A report that says nothing new is written again after this time, so that it is seen that the node is there. */
const renewAfterMs = 3_600_000;
const syncWithinMs = 60_000;

/** What is known of refusals, by unit. */
export interface Refusals {
  readonly starts: ReadonlyMap<string, Refusal>;
  readonly restarts: ReadonlyMap<string, Refusal>;
}

/**
 * After it, what this node's services run on stands in its outbox, signed, if that is new or was last said
 * an hour ago; and sync was told to carry it. A node without a mirror has nobody to carry it, and says nothing.
 *
 * @throws Failure `signer/failed`, `program/missing`, `write/refused`, `systemd/unavailable`
 */
export async function reportNode(
  { configuration }: Located<NodeConfiguration>,
  refusals: Refusals,
  now: Date,
): Promise<void> {
  if (configuration.mirror === undefined) return;
  const { cluster, node, hostKey = defaultHostKey } = configuration;
  const outbox = await openOutbox(configuration);
  const [before, services] = await Promise.all([
    readOwnReport(outbox, node),
    listReported(refusals),
  ]);
  const record: Report = {
    type: "report",
    version: 1,
    cluster,
    node,
    issued: formatTime(laterThan(before, now)),
    services,
  };
  if (before !== undefined && !isNews(before, record)) return;
  const bytes = encodeReport(record);
  if (bytes.length > maxReportSize) {
    throw new Failure(
      "write/refused",
      `the report of ${node} has ${String(bytes.length)} bytes, more than ${String(maxReportSize)}`,
    );
  }
  const signature = await sign(hostKey, namespaces.inventory, bytes, {});
  verifySignature(parseSignature(signature), bytes, "inventory");
  await writeReport(outbox, node, bytes, signature);
  // Whoever waits for it shouldn't wait for sync's next pass; that carries it if this one doesn't.
  void requestSync(syncSocket, [], syncWithinMs);
}

/** A time that no report before it had, whatever the clock says. */
function laterThan(before: Report | undefined, now: Date): Date {
  return new Date(
    Math.max(now.getTime(), before === undefined ? 0 : Date.parse(before.issued) + 1000),
  );
}

function isNews(before: Report, record: Report): boolean {
  const { issued, ...said } = before;
  const { issued: time, ...says } = record;
  if (Date.parse(time) - Date.parse(issued) >= renewAfterMs) return true;
  return JSON.stringify(said) !== JSON.stringify(says);
}

async function listReported({ starts, restarts }: Refusals): Promise<ReportedService[]> {
  const running = await listRunningUnits();
  const services = new Map(
    running.map((one) => {
      const { unit } = one.facts;
      return [unit, describeRunning(one, restarts.get(unit))];
    }),
  );
  for (const [unit, refusal] of starts) {
    if (services.has(unit)) continue;
    const facts = await showUnit(unit);
    if (facts.loadState === "not-found" || facts.activeState === "inactive") continue;
    services.set(unit, describeRefused(facts, refusal));
  }
  return [...services.values()].sort(({ unit: a }, { unit: b }) => (a < b ? -1 : 1));
}

function describeRunning(
  { facts, decision }: RunningUnit,
  refusal: Refusal | undefined,
): ReportedService {
  const { unit, invocation, activeState } = facts;
  const { bundles, payloads = [], at } = decision;
  return {
    unit,
    invocation,
    activeState,
    since: at,
    wants: wantsOf(facts),
    bundles: bundles
      .map(({ bundle, series, generation, statement }) => ({
        name: bundle,
        series,
        generation,
        statement,
        credentials: payloads
          .filter((one) => one.bundle === bundle)
          .map(({ credential }) => credential)
          .sort(),
      }))
      .sort(({ name: a }, { name: b }) => (a < b ? -1 : 1)),
    refusal: refusal ?? null,
  };
}

function describeRefused(facts: UnitFacts, { code, message, at }: Refusal): ReportedService {
  const { unit, invocation, activeState } = facts;
  return {
    unit,
    invocation: invocation === "" ? null : invocation,
    activeState,
    since: null,
    wants: wantsOf(facts),
    bundles: [],
    refusal: { code, message, at },
  };
}

/** None of a unit whose commands say what can't be understood. */
function wantsOf(facts: UnitFacts): string[] {
  try {
    return wantedBy(facts)
      .bundles.map(({ bundle }) => bundle)
      .sort();
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}
