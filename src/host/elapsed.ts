/**
 * How long this process has run, in whole milliseconds. Durations and deadlines are told by it: a clock that is
 * set meanwhile makes none of them longer or shorter.
 */
export function elapsedMs(): number {
  return Math.trunc(performance.now());
}

/** How long ago a time was that the clock had, such as a file's, in milliseconds; below 0 if it has been set back since. */
export function sinceMs(time: number): number {
  // eslint-disable-next-line no-restricted-properties -- a time of the clock is compared with the clock
  return Date.now() - time;
}
