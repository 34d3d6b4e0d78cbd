const isSoak = process.env["SEALAUNCH_SOAK"] === "1";

/**
 * How often to repeat something whose whole number is `full`: so often with SEALAUNCH_SOAK=1, else
 * a tenth, at least once.
 */
export function count(full: number): number {
  return isSoak ? full : Math.max(1, Math.ceil(full / 10));
}

/**
 * The seed of everything that tests choose by chance. vitest.config.ts chooses it once for all
 * files, and the run prints it at its end; SEALAUNCH_SEED=… repeats that run.
 */
export const seed = Number(process.env["SEALAUNCH_SEED"] ?? "1");

/** Numbers in [0, 1), the same ones for the same seed and name (mulberry32). */
export function chance(name: string): () => number {
  let state = seed;
  for (let at = 0; at < name.length; at++)
    state = Math.imul(state ^ name.charCodeAt(at), 0x9e3779b1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
