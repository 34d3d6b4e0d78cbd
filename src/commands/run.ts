import { Failure } from "../failure.ts";

/**
 * Says why nothing was launched: `run` comes here only where bin/sealaunch found nothing to do.
 *
 * @throws Failure `usage/invalid`, always
 */
export function refuseRun(args: readonly string[]): never {
  if (!args.includes("--")) {
    throw new Failure(
      "usage/invalid",
      "there is no '--' with a program after it",
      "sealaunch run … -- /nix/store/…/bin/PROGRAM ARG…",
    );
  }
  throw new Failure(
    "usage/invalid",
    "run doesn't say how to launch",
    "say --in-place (as root), or --plain DIR for local work; without either it stands in a unit that 'sealaunch unit' wrote",
  );
}

/**
 * Says why nothing was checked: `check` comes here only where no credentials were delivered.
 *
 * @throws Failure `usage/invalid`, always
 */
export function refuseCheck(): never {
  throw new Failure(
    "usage/invalid",
    "there are no credentials to check: CREDENTIALS_DIRECTORY is not set",
    "let it stand in a unit, as ExecStartPre=: sealaunch unit --wrap UNIT.service",
  );
}
