import { spawnSync } from "node:child_process";
import { arch, cpus, release } from "node:os";

/** One way of doing a thing, as a whole process. */
export interface Variant {
  readonly name: string;
  readonly command: readonly string[];
  /** Undone or prepared before each run; not timed. */
  readonly before?: () => void;
  readonly cwd?: string;
  readonly input?: Uint8Array;
}

/** Milliseconds of each run of each variant. */
export type Timings = ReadonlyMap<string, readonly number[]>;

/**
 * Runs every variant `rounds` times, in a new order each round, after one that isn't counted: what
 * disturbs the machine disturbs all alike.
 */
export function interleave(variants: readonly Variant[], rounds: number): Timings {
  const timings = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const variant of inOrder(variants, round)) {
      variant.before?.();
      const milliseconds = timeOnce(variant);
      if (round >= 0) timings.get(variant.name)?.push(milliseconds);
    }
  }
  return timings;
}

/** The same things in the order of that round. */
export function inOrder<T>(things: readonly T[], round: number): T[] {
  return things
    .map((thing, index) => ({ thing, by: (index * 7919 + (round + 2) * 104729) % 1009 }))
    .toSorted((a, b) => a.by - b.by)
    .map(({ thing }) => thing);
}

function timeOnce({ name, command, cwd, input }: Variant): number {
  const [program = "", ...args] = command;
  const start = process.hrtime.bigint();
  const { status, stderr, error } = spawnSync(program, args, {
    cwd,
    input: input ?? "",
    env: {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: "/nonexistent",
      XDG_STATE_HOME: `${cwd ?? "/nonexistent"}/state`,
      LC_ALL: "C",
    },
  });
  const end = process.hrtime.bigint();
  if (status === 0) return Number(end - start) / 1e6;
  throw new Error(`${name} ended with ${String(status)}: ${error?.message ?? stderr.toString()}`);
}

/** The middle of `values`. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? NaN) + high) / 2;
}

/** Prints medians, ranges, and ratios to the variant named `base`. */
export function report(title: string, timings: Timings, base: string): void {
  const unit = median(timings.get(base) ?? []);
  console.log(`\n${title}\n`);
  console.log(`| variant | median, ms | least to most, ms | × ${base} |`);
  console.log("|---|---:|---:|---:|");
  for (const [name, values] of timings) {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const ratio = (median(values) / unit).toFixed(2);
    console.log(
      `| ${name} | ${median(values).toFixed(1)} | ${least.toFixed(1)} to ${most.toFixed(1)} | ${ratio} |`,
    );
  }
}

/** Prints what was measured on. */
export function reportMachine(rounds: number): void {
  const [cpu] = cpus();
  console.log(
    `${cpu?.model.trim() ?? "?"}, ${String(cpus().length)} cores, Linux ${release()} ${arch()}, Node ${process.version}; ${String(rounds)} rounds, interleaved`,
  );
}
