import { Failure, type FailureCode } from "../../src/failure.ts";

/** The code of the failure that `run` ends in, or "success". Any other error is thrown on. */
export function outcomeOf(run: () => unknown): FailureCode | "success" {
  try {
    run();
  } catch (error) {
    if (error instanceof Failure) return error.code;
    throw error;
  }
  return "success";
}
