import { readFileSync } from "node:fs";
import type { DerivationFacts } from "../scan/component.ts";
import { derivationFacts, parseDerivation, type Derivation } from "../scan/store/derivation.ts";

/** What is known of a store path by the derivation that made it. */
export interface Made {
  readonly facts: DerivationFacts;
  readonly derivation: Derivation;
}

/** What the derivation at `deriver` says of a store path; undefined if it isn't there, or makes something else. */
export type MadeBy = (storePath: string, deriver: string) => Made | undefined;

const hash = /^\/nix\/store\/[^-]*-/u;

/**
 * Derivations by the files in a store, each read once.
 *
 * @param placeOf - where a store path lies on the disk
 */
export function derivationsIn(placeOf: (storePath: string) => string): MadeBy {
  const known = new Map<string, Derivation | undefined>();
  const read = (derivation: string): Derivation | undefined => {
    if (!known.has(derivation)) known.set(derivation, readDerivation(placeOf(derivation)));
    return known.get(derivation);
  };
  return (storePath, deriver) => {
    const derivation = read(deriver);
    // Nix may name one that made the same path's content once, and now makes another.
    if (derivation?.outputs.includes(storePath) !== true) return undefined;
    // Of dozens of inputs only these are read: what a source is made by is called as the source is.
    const wanted = new Set(
      sourcesOf(derivation).map((source) => `${source.replace(hash, "")}.drv`),
    );
    const facts = derivationFacts(deriver, derivation, (input) =>
      wanted.has(input.replace(hash, "")) ? read(input) : undefined,
    );
    return { facts, derivation };
  };
}

function sourcesOf({ attributes }: Derivation): readonly string[] {
  return ["src", "srcs"]
    .flatMap((name) => attributes.get(name) ?? [])
    .flatMap((one) => one.split(/\s+/u));
}

function readDerivation(place: string): Derivation | undefined {
  try {
    return parseDerivation(readFileSync(place, "utf8"));
  } catch {
    return undefined;
  }
}
