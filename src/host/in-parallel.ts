/**
 * Does the same with each of many things, `width` at once. With the first that fails nothing more is
 * begun, and what was begun is waited for.
 */
export async function inParallel<T>(
  width: number,
  things: readonly T[],
  act: (thing: T) => Promise<void>,
): Promise<void> {
  const left = things.values();
  let hasFailed = false;
  const work = async (): Promise<void> => {
    // One iterator for all: each takes the next thing.
    for (const thing of left) {
      if (hasFailed) return;
      try {
        await act(thing);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const workers = Array.from({ length: Math.min(width, things.length) }, work);
  const results = await Promise.allSettled(workers);
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
