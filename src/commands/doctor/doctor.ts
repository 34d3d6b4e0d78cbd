import { examineNode, type NodeExamination } from "../../doctor/node.ts";
import { lastRefusal, type Refusal } from "../../doctor/last-refusal.ts";
import { examineUnit } from "../../doctor/unit.ts";
import { parseService } from "../../doctor/unit-names.ts";
import { wayOf } from "../../doctor/way.ts";
import { Failure, type FailureCode } from "../../failure.ts";
import { readClock, type Clock } from "../../host/clock.ts";
import { requireRoot } from "../../host/privileges.ts";
import { listServices, showUnit } from "../../host/systemd/systemd.ts";
import type { Finding } from "../../service/finding.ts";
import type { Context } from "../context.ts";

/** What was found of one unit. */
interface ExaminedUnit {
  readonly unit: string;
  readonly findings: readonly Finding[];
  readonly refusal: Refusal | undefined;
}

// What only time decides.
const timeBased: ReadonlySet<FailureCode> = new Set([
  "roster/stale",
  "bundle/expired",
  "signer/expired",
  "clock/behind",
]);

/**
 * Names everything that would keep a unit from starting with its secrets, and repeats what the agent has
 * last refused it for. Nothing is started.
 *
 * @param text - the unit; all that failed and use Sealaunch if undefined
 * @throws Failure the first of what was found; `privileges/needed`, `systemd/unavailable`
 */
export async function doctor(context: Context, text: string | undefined): Promise<void> {
  requireRoot();
  const units = text === undefined ? await listFailed() : [parseService(text)];
  const node = await examineNode(context.configuration, context.now);
  const examined: ExaminedUnit[] = [];
  for (const unit of units) {
    const findings = await examineUnit(unit, node.node);
    const { activeState } = await showUnit(unit);
    // Of a unit that runs it is history.
    const refusal = activeState === "active" ? undefined : await lastRefusal(unit);
    examined.push({ unit, findings, refusal });
  }
  const all = [...node.findings, ...examined.flatMap(({ findings }) => findings)];
  const isOfTime = all.some(({ failure }) => timeBased.has(failure.code));
  const clock = isOfTime ? await readClock() : undefined;
  print(context, node, examined);
  if (units.length === 0) context.print("no unit that uses Sealaunch has failed");
  if (clock !== undefined) context.print(describeClock(clock, context.now));
  context.result({
    node: node.findings.map(describe),
    units: examined.map(({ unit, findings, refusal }) => ({
      unit,
      findings: findings.map(describe),
      ...(refusal === undefined ? {} : { lastRefusal: refusal }),
    })),
    ...(clock === undefined
      ? {}
      : { clock: { now: context.now, isSynchronised: clock.isSynchronised ?? null } }),
  });
  conclude(all, units);
}

/** Services that failed, or are tried again and again, and have to do with Sealaunch. */
async function listFailed(): Promise<string[]> {
  const services = await listServices();
  const failed = services.filter(
    ({ activeState, subState }) => activeState === "failed" || subState === "auto-restart",
  );
  const found: string[] = [];
  for (const { unit } of failed) {
    if (wayOf(await showUnit(unit)) !== undefined) found.push(unit);
  }
  return found;
}

function print(context: Context, node: NodeExamination, examined: readonly ExaminedUnit[]): void {
  printFindings(context, node.findings);
  for (const { unit, findings, refusal } of examined) {
    const errors = findings.filter(({ severity }) => severity === "error").length;
    context.print(
      `${unit}: ${errors === 0 ? "nothing of its own keeps it from starting" : `can't start, for ${String(errors)} ${errors === 1 ? "reason" : "reasons"}`}`,
    );
    printFindings(context, findings);
    if (refusal === undefined) continue;
    context.print(`last refused ${refusal.at}, ${refusal.code}: ${refusal.message}`);
    context.print(`  its hint: ${refusal.hint}`);
  }
}

function printFindings(context: Context, findings: readonly Finding[]): void {
  for (const { severity, failure } of findings) {
    context.print(`${severity}: ${failure.message}`);
    context.print(`hint: ${failure.hint}`);
  }
}

function describeClock({ isSynchronised }: Clock, now: Date): string {
  const how =
    isSynchronised === undefined
      ? "nothing tells whether it is synchronised"
      : isSynchronised
        ? "synchronised"
        : "not synchronised: see timedatectl";
  return `clock: ${now.toISOString()}, ${how}`;
}

function describe({ severity, failure: { code, message, hint } }: Finding): unknown {
  return { severity, code, message, hint };
}

/** Ends with the first error, for programs; people have read them all. */
function conclude(all: readonly Finding[], units: readonly string[]): void {
  const errors = all.filter(({ severity }) => severity === "error");
  const [first] = errors;
  if (first === undefined) return;
  const what = units.length === 0 ? "this machine's agent" : units.join(", ");
  throw new Failure(
    first.failure.code,
    `${what} can't start: ${errors.length === 1 ? "the reason stands above" : `${String(errors.length)} reasons stand above`}`,
    first.failure.hint,
  );
}
