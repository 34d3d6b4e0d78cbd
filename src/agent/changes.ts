import { readMembers, readPool, readRoster, requireStatement } from "../cluster/cluster.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { openNode } from "../cluster/configuration.ts";
import { asFailure, Failure } from "../failure.ts";
import { reloadUnit, restartIfRunning } from "../host/systemd/jobs.ts";
import type { UnitFacts } from "../host/systemd/systemd.ts";
import { turnLength, turnOf, type OnChange, type Turn } from "../service/on-change.ts";
import { changedBundles } from "../trust/changed-bundles.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { describeGeneration, type VerifiedStatement } from "../trust/statement.ts";
import { keepDecision } from "./decisions.ts";
import type { Digest } from "./digest.ts";
import { settleRefreshes, type Digests } from "./refresh.ts";
import { refusalOf, type Refusal } from "./refusal.ts";
import { rehearse } from "./rehearsal.ts";
import { requireReloadable } from "./reloadable.ts";
import { listRunningUnits, type RunningUnit } from "./running-units.ts";
import type { Means } from "./start.ts";
import { recordLeftRunning, recordRenewal } from "./unit-journal.ts";
import { wantedBy, type Wanted } from "./wanted.ts";

/** What becomes of running services when there are newer values for them. */
export interface Changes {
  /**
   * After it, each running unit that is to be restarted or reloaded for newer values, whose turn it is and which
   * would start, was, one after the other. What couldn't start runs on as it is.
   *
   * @param interrupted - starts, by invocation, of which an agent that has ended began a reload: they had their turn
   */
  look(now: Date, interrupted: ReadonlySet<string>): Promise<void>;
  /** Whether somebody waits for his turn. */
  readonly isWaiting: boolean;
  /** By unit, why it runs on though there is something newer. */
  readonly objections: ReadonlyMap<string, Refusal>;
}

/** What a unit waits for. */
interface Waiting {
  readonly invocation: string;
  readonly change: string;
  /** When its turn begins, in milliseconds of the epoch. */
  readonly turn: number;
}

/** How services are told apart that have the bytes already. */
export interface Served extends Digests {
  readonly digest: Digest;
}

/** Nobody waits yet. */
export function createChanges(means: Means, served: Served): Changes {
  const waiting = new Map<string, Waiting>();
  const objections = new Map<string, Refusal>();

  const object = async (
    { unit, invocation }: UnitFacts,
    failure: Failure,
    now: Date,
  ): Promise<void> => {
    const before = objections.get(unit);
    const refusal = refusalOf(failure, now);
    if (before?.code === refusal.code && before.message === refusal.message) return;
    objections.set(unit, refusal);
    await recordLeftRunning(unit, invocation, failure);
  };

  const renew = async (one: RunningUnit, wanted: Wanted, due: Due, now: Date): Promise<void> => {
    const { unit, invocation } = one.facts;
    const node = await means.node();
    const has = served.digests.get(invocation);
    const gets = await rehearse(unit, wanted, node, means, now, served.digest);
    waiting.delete(unit);
    if (has === gets.digest) {
      // Sealed anew and the same to the byte: it runs on the newest already, and is reported so.
      keepDecision({ ...one.decision, ...gets.served });
      return;
    }
    await requireReloadable(one.facts, due.onChange);
    await recordRenewal(unit, invocation, due.onChange.how, due.change);
    if (due.onChange.how === "restart") await restart(unit, due.change);
    else await reload(unit, invocation, due.change);
  };

  const restart = async (unit: string, change: string): Promise<void> => {
    if (await restartIfRunning(unit)) return;
    throw new Failure(
      "unit/not-started",
      `${unit} was restarted for ${change} and doesn't run`,
      `sealaunch doctor ${unit}; systemctl status ${unit}`,
    );
  };

  const reload = async (unit: string, invocation: string, change: string): Promise<void> => {
    const isReloaded = await reloadUnit(unit);
    const failed = await settleRefreshes(served);
    if (isReloaded && !failed.has(invocation)) return;
    throw new Failure(
      "unit/not-reloaded",
      `${unit} was reloaded for ${change}, and that failed`,
      `journalctl -u ${unit}`,
    );
  };

  const lookAt = async (
    one: RunningUnit,
    looking: Looking,
    { now, isInterrupted }: { readonly now: Date; readonly isInterrupted: boolean },
  ): Promise<void> => {
    const { unit, invocation } = one.facts;
    try {
      const wanted = wantedBy(one.facts);
      const due = await dueOf(one, wanted, looking);
      if (due === undefined) {
        waiting.delete(unit);
        objections.delete(unit);
        return;
      }
      const before = waiting.get(unit);
      const isSame = before?.change === due.change && before.invocation === invocation;
      const isMissed = isSame && now.getTime() >= before.turn + turnLength(due.onChange.spread);
      const next = isInterrupted ? now.getTime() : turnOf(turnFor(due), now.getTime());
      const turn = isSame && !isMissed ? before.turn : next;
      waiting.set(unit, { invocation, change: due.change, turn });
      if (now.getTime() >= turn) await renew(one, wanted, due, now);
    } catch (error) {
      await object(one.facts, asFailure(error), now);
    }
  };

  return {
    get isWaiting() {
      return waiting.size > 0;
    },
    objections,
    look: async (now, interrupted) => {
      const running = await listRunningUnits();
      forgetOthers(waiting, running);
      forgetOthers(objections, running);
      const asking = running.filter(isAsking);
      if (asking.length === 0) return;
      const node = await means.node();
      const cluster = await openNode(node, now, means.memory);
      const { record: roster } = await readRoster(cluster);
      const looking = { node: node.configuration.node, cluster, roster };
      for (const one of asking) {
        const isInterrupted = interrupted.has(one.facts.invocation);
        await lookAt(one, looking, { now, isInterrupted });
      }
    },
  };
}

function forgetOthers(known: Map<string, unknown>, running: readonly RunningUnit[]): void {
  const units = new Set(running.map(({ facts }) => facts.unit));
  for (const unit of known.keys()) if (!units.has(unit)) known.delete(unit);
}

/** Whether a unit is to be restarted or reloaded for newer values; also one whose commands say it wrongly, which is told. */
function isAsking({ facts }: RunningUnit): boolean {
  try {
    return wantedBy(facts).onChange !== undefined;
  } catch {
    return facts.commands.some(({ words }) => words.some((word) => word.startsWith("--on-change")));
  }
}

interface Looking {
  readonly node: string;
  readonly cluster: Cluster;
  readonly roster: VerifiedRoster;
}

/** What a unit is to be restarted or reloaded for, and among whom it has its turn. */
interface Due {
  readonly node: string;
  readonly members: readonly string[];
  readonly change: string;
  readonly onChange: OnChange;
}

const turnFor = ({ onChange: { spread }, ...others }: Due): Turn => ({ ...others, spread });

/** Undefined if nothing has changed of what it has. What it takes from a store path never does. */
async function dueOf(
  { decision }: RunningUnit,
  wanted: Wanted,
  { node, cluster, roster }: Looking,
): Promise<Due | undefined> {
  const { onChange } = wanted;
  const { payloads = [] } = decision;
  if (onChange === undefined || payloads.length === 0) return undefined;
  const followed = decision.bundles.filter(({ path }) => path === undefined);
  const newest = await Promise.all(
    followed.map(({ bundle }) => requireStatement(cluster, roster, bundle)),
  );
  const changed = changedBundles(payloads, newest);
  const [first] = changed;
  if (first === undefined) return undefined;
  const change = changed
    .map((statement) => `${statement.name} ${describeGeneration(statement)}`)
    .join(", ");
  return { node, members: await membersWith(node, first, cluster, roster), change, onChange };
}

/** The members of the first pool of a statement's audience that the node is in; the node alone if it sees none. */
async function membersWith(
  node: string,
  { audience }: VerifiedStatement,
  cluster: Cluster,
  roster: VerifiedRoster,
): Promise<readonly string[]> {
  for (const name of audience) {
    const pool = await readPool(cluster, roster, name).catch(() => undefined);
    if (pool === undefined) continue;
    const list = await readMembers(cluster.source, pool.record).catch(() => undefined);
    const names = list?.members.map((member) => member.node) ?? [];
    if (names.includes(node)) return names;
  }
  return [node];
}
