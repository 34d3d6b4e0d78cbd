/**
 * Does the same with each of many things, one after the other. Whoever watches at a terminal for longer
 * than a second sees how far it is.
 *
 * @param what - names one of the things
 * @returns what `act` gave, in the order of the things
 */
export type Each = <T, R>(
  what: string,
  things: readonly T[],
  act: (thing: T) => Promise<R>,
) => Promise<R[]>;
