/**
 * The reasons for which a test may be skipped where nothing may be skipped (CI=true): such a one
 * stands in `context.skip(reason)`, or in the name of a group that `describe.skipIf` skips. Any
 * other skip there fails the run.
 */
export const skips = [
  "age >= 1.3 not on PATH",
  "lintian not on PATH",
  "sops not on PATH",
  "SEALAUNCH_TEST_FLEETD doesn't name a fleetd",
  "SEALAUNCH_TEST_NOMAD doesn't name a nomad",
  "SEALAUNCH_TEST_DATA doesn't name a folder of test vectors",
  "the probe is a program for x86-64",
] as const;
