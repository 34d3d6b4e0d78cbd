import { Failure } from "../failure.ts";

/**
 * What `judge` gives.
 *
 * @param what - is judged; what is wrong with it is told of it by name
 * @throws Failure as `judge` does
 */
export function named<T>(what: string, judge: () => T): T {
  try {
    return judge();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(error.code, `${what}: ${error.message}`, error.hint, error.cause);
  }
}
