/**
 * How long this process has run, in whole milliseconds. Durations and deadlines are told by it: a clock that is
 * set meanwhile makes none of them longer or shorter.
 */
export function elapsedMs(): number {
  return Math.trunc(performance.now());
}
