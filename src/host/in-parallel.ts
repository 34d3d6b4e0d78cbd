/**
 * Does the same with each of many things, `width` at once. With the first that fails nothing more is
 * begun, and what was begun is waited for.
 *
 * @returns what `act` gave, in the order of the things
 */
export async function inParallel<T, R>(
  width: number,
  things: readonly T[],
  act: (thing: T) => Promise<R>,
): Promise<R[]> {
  const left = things.entries();
  const found: R[] = [];
  let hasFailed = false;
  const work = async (): Promise<void> => {
    // One iterator for all: each takes the next thing.
    for (const [index, thing] of left) {
      if (hasFailed) return;
      try {
        found[index] = await act(thing);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const workers = Array.from({ length: Math.min(width, things.length) }, work);
  const results = await Promise.allSettled(workers);
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return found;
}
