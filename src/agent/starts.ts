import { setTimeout as pause } from "node:timers/promises";
import { wipe } from "../crypto/bytes.ts";
import { Failure, type FailureCode } from "../failure.ts";
import { elapsedMs } from "../host/elapsed.ts";
import { showUnit, type UnitFacts } from "../host/systemd/systemd.ts";
import type { Asker } from "./asker.ts";
import { prepareStart, type Means, type Prepared } from "./start.ts";
import type { ProcessFacts } from "../host/processes.ts";
import type { Digest } from "./digest.ts";
import { prepareRefresh } from "./refresh.ts";
import { refusalOf, type Refusal } from "./refusal.ts";
import { recordOpening, recordRefusal, recordWaiting } from "./unit-journal.ts";

/** systemd asks for all credentials of a command at once; a later command's are opened anew. */
const lingerMs = 10_000;
/** So long before systemd gives up on a start, the agent does, and says why. */
export const reserveMs = 2_000;
/** Writing to the journal would take processor time from the very start that it tells of. */
const recordAfterMs = 50;
const longestWaitMs = 3_600_000;
/** More starts than a machine has services. */
const maxDigests = 4096;

// What somebody, or a cache that comes back, may mend while the start waits.
const maySettle: ReadonlySet<FailureCode> = new Set([
  // Before the network is there, a clock may be that of another year.
  "clock/behind",
  "closure/unavailable",
  "closure/absent",
  "bundle/absent",
  "bundle/below-floor",
  "header/absent",
  "entry/absent",
  "pool/absent",
  "roster/absent",
  "mirror/not-fresh",
]);

/** For what it is asked. */
export type Asking = Pick<Asker, "facts" | "process" | "isRefresh">;

/** The starts and reloads that are going on, each decided once. */
export interface Starts {
  /** What that start of a unit, or that reload, gets. @throws Failure as `prepareStart`, `prepareRefresh` */
  get(asker: Asking): Promise<Prepared>;
  /**
   * Begins with what somebody claims to ask for, while it is found out who he is. Nothing leaves here
   * for it, and nothing is begun but for a unit that PID 1 is starting.
   */
  foresee(facts: UnitFacts): void;
  /** After it, a refused start has been told of in the unit's own journal, once. */
  refuse(asker: Asking, failure: Failure): Promise<void>;
  /** By unit, why its last start was refused, of those for which none has been prepared since. */
  readonly refusals: ReadonlyMap<string, Refusal>;
  /** By invocation, the digest of what a unit has from this agent. */
  readonly digests: Map<string, string>;
  /** By invocation, the digest of what a reload brings that isn't settled. */
  readonly refreshed: Map<string, string>;
  /** After it, everything that is to be told has been. */
  settle(): Promise<void>;
}

/** No start is going on yet. */
export function createStarts(means: Means, digest: Digest): Starts {
  const going = new Map<string, Promise<Prepared>>();
  const lingering = new Map<string, NodeJS.Timeout>();
  const told = new Set<string>();
  const refusals = new Map<string, Refusal & { readonly times: number }>();
  const digests = new Map<string, string>();
  const refreshed = new Map<string, string>();

  const recording = new Set<Promise<void>>();
  const later = (record: () => Promise<void>): void => {
    const recorded = pause(recordAfterMs)
      .then(record)
      .finally(() => recording.delete(recorded));
    recording.add(recorded);
  };

  const begin = async (key: string, preparing: Promise<Prepared>): Promise<Prepared> => {
    const prepared = await preparing;
    if (prepared.isNew) later(() => recordOpening(prepared));
    const forget = setTimeout(() => {
      going.delete(key);
      lingering.delete(key);
      wipe(...prepared.answers.values());
    }, lingerMs).unref();
    lingering.set(key, forget);
    return prepared;
  };

  const remember = (of: Map<string, string>, { decision, answers }: Prepared): void => {
    of.set(decision.invocation, digest(answers));
    if (of.size > maxDigests) of.delete(of.keys().next().value ?? "");
  };
  const start = async (facts: UnitFacts): Promise<Prepared> => {
    const prepared = await waitFor(facts, means);
    refusals.delete(facts.unit);
    remember(digests, prepared);
    return prepared;
  };
  const refresh = async ({ facts, process }: Asking): Promise<Prepared> => {
    const prepared = await prepareRefresh(facts, nameOf(process), means, new Date());
    remember(refreshed, prepared);
    return prepared;
  };

  const once = (key: string, prepare: () => Promise<Prepared>): Promise<Prepared> => {
    const known = going.get(key);
    // What is being answered is not wiped under way.
    lingering.get(key)?.refresh();
    if (known !== undefined) return known;
    const begun = begin(key, prepare());
    going.set(key, begun);
    begun.catch(() => setTimeout(() => going.delete(key), lingerMs).unref());
    return begun;
  };

  return {
    get: (asking) =>
      once(keyOf(asking), () => (asking.isRefresh ? refresh(asking) : start(asking.facts))),
    refusals,
    digests,
    refreshed,
    foresee: (facts) => {
      if (facts.activeState !== "activating" || facts.invocation === "") return;
      void once(facts.invocation, () => start(facts));
    },
    refuse: async (asking, failure) => {
      const { unit, invocation } = asking.facts;
      const key = keyOf(asking);
      if (told.has(key)) return;
      told.add(key);
      setTimeout(() => told.delete(key), lingerMs).unref();
      if (asking.isRefresh) {
        await recordRefusal(unit, invocation, failure, 1);
        return;
      }
      const refusal = refusalOf(failure, new Date());
      const before = refusals.get(unit);
      const isSame = before?.code === refusal.code && before.message === refusal.message;
      const times = isSame ? before.times + 1 : 1;
      refusals.set(unit, { ...refusal, times });
      await recordRefusal(unit, invocation, failure, times);
    },
    settle: async () => {
      while (recording.size > 0) await Promise.all(recording);
    },
  };
}

const nameOf = ({ pid, startTime }: ProcessFacts): string => `${String(pid)}-${startTime}`;

/** A start's invocation; a reload's, and the process that is made for it. */
function keyOf({ facts, process, isRefresh }: Asking): string {
  return isRefresh ? `${facts.invocation}.${nameOf(process)}` : facts.invocation;
}

/** Tries until it is prepared, can't get better, or systemd is about to give up. */
async function waitFor(facts: UnitFacts, means: Means): Promise<Prepared> {
  const { unit, invocation } = facts;
  const limit = Math.min(facts.startTimeoutMs, longestWaitMs);
  // Not by the clock, which may be what is waited for: it can go forward by an hour, or by a year.
  const deadline = elapsedMs() + Math.max(0, limit - reserveMs);
  for (let tries = 0; ; tries++) {
    try {
      return await prepareStart(facts, means, Math.max(1, deadline - elapsedMs()), new Date());
    } catch (error) {
      if (!(error instanceof Failure) || !maySettle.has(error.code)) throw error;
      const wait = Math.min(250 * 2 ** tries, 5_000);
      if (elapsedMs() + wait >= deadline || (await showUnit(unit)).invocation !== invocation)
        throw error;
      if (tries === 0) void recordWaiting(unit, invocation, error);
      await pause(wait);
    }
  }
}
