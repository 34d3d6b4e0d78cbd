/**
 * Does the same with each of many things, one after the other. Whoever watches at a terminal for longer
 * than a second sees how far it is.
 *
 * @param what - names one of the things
 */
export type Each = <T>(
  what: string,
  things: readonly T[],
  act: (thing: T) => Promise<void>,
) => Promise<void>;

/** What `make` gives for each of the names, in their order, but for undefined. */
export async function mapEach<T extends object>(
  each: Each,
  what: string,
  names: readonly string[],
  make: (name: string) => Promise<T | undefined>,
): Promise<T[]> {
  const made = new Map<string, T | undefined>();
  await each(what, names, async (name) => {
    made.set(name, await make(name));
  });
  return names.flatMap((name) => made.get(name) ?? []);
}
