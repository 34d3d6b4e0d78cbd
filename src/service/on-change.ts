import { createHash } from "node:crypto";
import { Failure } from "../failure.ts";
import { reloadSignals } from "../formats/reload-signals.ts";

// What becomes of a running service when there are newer values for it
// (docs/decisions/0028-nodes-take-turns.md).

/** How restarts of one service are spread over the nodes that run it. */
export interface Spread {
  /** On at most so many nodes of a pool in the same period; a tenth of them if undefined. */
  readonly atOnce: number | undefined;
  /** How long a period is. */
  readonly seconds: number;
}

/** What becomes of a running service when there are newer values for it. */
export interface OnChange {
  /**
   * `restart`; or `reload`, which has systemd fetch its credentials anew and run its `ExecReload=`; or `signal`,
   * the same, where the wrapper sends the service a signal.
   */
  readonly how: "restart" | "reload" | "signal";
  readonly spread: Spread;
}

const defaultSeconds = 30;
const maxSeconds = 3600;
const maxAtOnce = 100_000;

const grammar = new RegExp(
  `^(restart|reload|signal(?:=(?:${reloadSignals.join("|")}))?)` +
    "(?::(?=.)([1-9][0-9]{0,5})?(?:/([1-9][0-9]{0,3}))?)?$",
  "u",
);

/**
 * What becomes of a service when its values change; undefined if nothing does.
 *
 * @param text - `nothing`; or `restart`, `reload`, `signal` or `signal=NAME`, alone or with how it is spread over
 *   nodes, `:AT_ONCE/SECONDS`, of which either number may be left out, `:AT_ONCE` and `:/SECONDS`
 * @throws Failure `usage/invalid`
 */
export function parseOnChange(text: string): OnChange | undefined {
  if (text === "nothing") return undefined;
  const found = grammar.exec(text);
  const [, what = "", atOnce, seconds = defaultSeconds] = found ?? [];
  const spread = {
    atOnce: atOnce === undefined ? undefined : Number(atOnce),
    seconds: Number(seconds),
  };
  const fits = spread.seconds <= maxSeconds && (spread.atOnce ?? 1) <= maxAtOnce;
  const how = what === "restart" || what === "reload" ? what : "signal";
  if (found !== null && fits) return { how, spread };
  throw new Failure(
    "usage/invalid",
    `--on-change ${JSON.stringify(text.slice(0, 40))} is neither nothing, restart, reload, signal nor signal=${reloadSignals.join("|")}, with :AT_ONCE/SECONDS behind it or not`,
    `--on-change restart:3/60: on at most 3 nodes within 60 seconds (up to ${String(maxAtOnce)} and ${String(maxSeconds)})`,
  );
}

/** What is asked of a node's turn. */
export interface Turn {
  readonly node: string;
  /** The members of a pool, this node among them, in any order. */
  readonly members: readonly string[];
  /** What has changed, as all nodes name it: the order differs from change to change. */
  readonly change: string;
  readonly spread: Spread;
}

/**
 * When a node's turn begins, at `from` or later, in milliseconds of the epoch. Time is divided into
 * periods, and in each as many members have their turn as may restart at once: which, follows from the
 * change and the members' names, so that nobody has to be asked. Within its period a node begins somewhere
 * in the first half.
 *
 * @param from - in milliseconds of the epoch
 */
export function turnOf({ node, members, change, spread }: Turn, from: number): number {
  const { atOnce = Math.ceil(members.length / 10), seconds } = spread;
  const periods = Math.max(1, Math.ceil(members.length / Math.max(1, atOnce)));
  // All of them may at once.
  if (periods === 1) return from;
  const own = rankKey(node, change);
  const before = members.filter((member) => rankKey(member, change) < own).length;
  const slot = Math.floor(before / Math.max(1, atOnce));
  const periodMs = seconds * 1000;
  const offset = Math.floor((Number.parseInt(own.slice(0, 8), 16) / 2 ** 32) * (periodMs / 2));
  const cycle = periods * periodMs;
  const begin = Math.floor(from / cycle) * cycle + slot * periodMs + offset;
  return begin >= from ? begin : begin + cycle;
}

function rankKey(node: string, change: string): string {
  return createHash("sha256").update(`${change}\n${node}`).digest("hex");
}

/** For how long a turn lasts: who couldn't use it waits for the next one. @returns milliseconds */
export function turnLength({ seconds }: Spread): number {
  return (seconds * 1000) / 2;
}
