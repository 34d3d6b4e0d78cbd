import type { StoreGraph } from "./graph.ts";

/** How all that needs one path comes to it. */
export interface Trace {
  /** Whether the path at `place` is it, or needs it. */
  readonly reaches: (place: number) => boolean;
  /** How many references lie between; undefined if it doesn't reach it. */
  readonly distance: (place: number) => number | undefined;
  /** The places from `place` to it, one of the shortest ways, both ends included; empty if there is none. */
  readonly chainFrom: (place: number) => readonly number[];
}

const never = 0xffff_ffff;

/**
 * Everything in the graph that needs the path at `target`, nearest first, up the references: one look at
 * each path and reference, however they are joined.
 */
export function traceUp(graph: StoreGraph, target: number): Trace {
  const towards = new Uint32Array(graph.size).fill(never);
  const far = new Uint32Array(graph.size);
  const queue = new Uint32Array(graph.size);
  towards[target] = target;
  queue[0] = target;
  let known = 1;
  for (let at = 0; at < known; at++) {
    const place = queue[at] ?? 0;
    for (const referrer of graph.referrers(place)) {
      if (towards[referrer] !== never) continue;
      towards[referrer] = place;
      far[referrer] = (far[place] ?? 0) + 1;
      queue[known++] = referrer;
    }
  }
  const reaches = (place: number): boolean => (towards[place] ?? never) !== never;
  return {
    reaches,
    distance: (place) => (reaches(place) ? far[place] : undefined),
    chainFrom: (place) => {
      if (!reaches(place)) return [];
      const chain = [place];
      for (let at = place; at !== target; at = towards[at] ?? target) chain.push(towards[at] ?? 0);
      return chain;
    },
  };
}

/** The places of all that the paths at `starts` need, themselves included, in no order. */
export function closureOf(graph: StoreGraph, starts: Iterable<number>): Uint32Array {
  const isIn = new Uint8Array(graph.size);
  const found = new Uint32Array(graph.size);
  let known = 0;
  const add = (place: number): void => {
    if (place >= graph.size || isIn[place] === 1) return;
    isIn[place] = 1;
    found[known++] = place;
  };
  for (const start of starts) add(start);
  for (let at = 0; at < known; at++) {
    for (const reference of graph.references(found[at] ?? 0)) add(reference);
  }
  return found.slice(0, known);
}
