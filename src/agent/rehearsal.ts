import type { Located } from "../cluster/configuration.ts";
import { wipe } from "../crypto/bytes.ts";
import type { NodeConfiguration } from "../formats/configuration.ts";
import type { Decision } from "../formats/decision.ts";
import { requireFile, requireProgram, requireStored } from "../host/nix/nix.ts";
import type { Opening } from "../launch/open.ts";
import type { Digest } from "./digest.ts";
import { answersOf, servedBy, valuesOf } from "./answers.ts";
import { openWanted, type Means } from "./start.ts";
import type { Wanted } from "./wanted.ts";

/** What a start would get now. */
export interface Rehearsed {
  readonly digest: string;
  /** Of which bundles and payloads it is. */
  readonly served: Pick<Decision, "bundles" | "payloads">;
}

/**
 * What a start of a unit would get now. Nothing is decided, fetched or pinned, and the values are wiped
 * after it.
 *
 * @throws Failure whatever would keep the unit from starting
 */
export async function rehearse(
  unit: string,
  wanted: Wanted,
  node: Located<NodeConfiguration>,
  means: Means,
  now: Date,
  digest: Digest,
): Promise<Rehearsed> {
  const { answers, opening } = await openHere(unit, wanted, node, means, now);
  try {
    return { digest: digest(answers), served: servedBy(opening) };
  } finally {
    wipe(...answers.values());
  }
}

/**
 * All that a unit gets now of what is here already: nothing is decided, fetched or pinned. The caller wipes the
 * answers.
 *
 * @throws Failure whatever would keep the unit from starting
 */
export async function openHere(
  unit: string,
  wanted: Wanted,
  node: Located<NodeConfiguration>,
  means: Means,
  now: Date,
): Promise<{ readonly answers: ReadonlyMap<string, Uint8Array>; readonly opening: Opening }> {
  wanted.programs.forEach(requireProgram);
  wanted.files.forEach(requireFile);
  wanted.sealed.forEach(requireStored);
  const opening = await openWanted({ ...wanted, unit, inPlace: false }, node, means, now);
  try {
    return { answers: await answersOf(unit, wanted, valuesOf(opening)), opening };
  } catch (error) {
    wipe(...opening.credentials.map(({ value }) => value));
    throw error;
  }
}
