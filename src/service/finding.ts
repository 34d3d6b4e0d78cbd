import type { Failure } from "../failure.ts";

/** One thing that keeps a unit from starting, or that may. */
export interface Finding {
  readonly severity: "error" | "warning";
  readonly failure: Failure;
}

/** What certainly keeps it from starting. */
export function error(failure: Failure): Finding {
  return { severity: "error", failure };
}

/** What may, now or at some other time. */
export function warning(failure: Failure): Finding {
  return { severity: "warning", failure };
}
