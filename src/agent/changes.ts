import { readRoster } from "../cluster/cluster.ts";
import { openNode } from "../cluster/configuration.ts";
import { asFailure, type Failure } from "../failure.ts";
import type { UnitFacts } from "../host/systemd/systemd.ts";
import { turnLength, turnOf } from "../service/on-change.ts";
import { dueOf, turnFor, type Looking } from "./due.ts";
import { refusalOf, type Refusal } from "./refusal.ts";
import { renew, type Served } from "./renewal.ts";
import { listRunningUnits, type RunningUnit } from "./running-units.ts";
import type { Means } from "./start.ts";
import { recordLeftRunning } from "./unit-journal.ts";
import { wantedBy } from "./wanted.ts";

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
      if (now.getTime() < turn) return;
      await renew(one, wanted, due, means, served, now);
      waiting.delete(unit);
    } catch (error) {
      const failure = asFailure(error);
      // It was done, and isn't done again before its next turn.
      if (["unit/not-started", "unit/not-reloaded"].includes(failure.code)) waiting.delete(unit);
      await object(one.facts, failure, now);
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
