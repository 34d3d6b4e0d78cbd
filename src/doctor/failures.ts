import { Failure } from "../failure.ts";

/** Runs `check` and gives its failure as a value; anything else that it throws is a bug. */
export async function failureOf(check: () => unknown): Promise<Failure | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}
