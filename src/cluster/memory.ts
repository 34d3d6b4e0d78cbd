import { hex, utf8 } from "../crypto/bytes.ts";
import { sha256 } from "../crypto/digest.ts";

/**
 * What a process that goes on has worked out before. Only what follows from the bytes and objects that
 * it was worked out from, and from nothing else, is kept: not from the time.
 */
export interface Memory {
  /** Whether a result is kept, so that whoever gets it must leave it as it is. */
  readonly keeps: boolean;
  /**
   * What `make` gives for those parts, or gave before. A failure isn't kept.
   *
   * @param kind - names the work
   * @param from - everything that the result depends on; objects by what they are, not by what is in them
   */
  recall<T extends object>(kind: string, from: readonly (Uint8Array | object)[], make: () => T): T;
}

/** The memory of a process that does everything once. */
export const noMemory: Memory = {
  keeps: false,
  recall: (_kind, _from, make) => make(),
};

/** Pool files and statements of a large cluster: each is judged once, and asked for several times. */
export const mostRemembered = 10_000;

/** A memory of the last `most` results. Some may be secret: they stay in this process. */
export function createMemory(most: number): Memory {
  const results = new Map<string, object>();
  const numbers = new WeakMap<object, number>();
  let last = 0;
  const numberOf = (part: object): number => {
    const number = numbers.get(part) ?? ++last;
    numbers.set(part, number);
    return number;
  };
  return {
    keeps: true,
    recall: <T extends object>(
      kind: string,
      from: readonly (Uint8Array | object)[],
      make: () => T,
    ): T => {
      const parts = from.map((part) =>
        part instanceof Uint8Array ? hex(sha256(part)) : `#${String(numberOf(part))}`,
      );
      const key = hex(sha256(utf8([kind, ...parts].join(" "))));
      const known = results.get(key) as T | undefined;
      const result = known ?? make();
      results.delete(key);
      results.set(key, result);
      const [oldest] = results.keys();
      if (results.size > most && oldest !== undefined) results.delete(oldest);
      return result;
    },
  };
}
