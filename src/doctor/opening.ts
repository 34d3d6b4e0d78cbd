import { answersOf, valuesOf } from "../agent/answers.ts";
import type { Wanted } from "../agent/wanted.ts";
import type { Located } from "../cluster/configuration.ts";
import type { Memory } from "../cluster/memory.ts";
import { wipe } from "../crypto/bytes.ts";
import type { Identity } from "../crypto/identity.ts";
import { Failure } from "../failure.ts";
import type { NodeConfiguration } from "../formats/configuration.ts";
import { openBundles, type Opening, type OpeningRequest } from "../launch/open.ts";
import { error, warning, type Finding } from "../service/finding.ts";
import { failureOf } from "./failures.ts";

/** What bundles are opened with, as the agent would. */
export interface OpeningMeans {
  readonly node: Located<NodeConfiguration>;
  readonly identities: () => Promise<readonly Identity[]>;
  readonly memory: Memory;
  readonly now: Date;
}

/** What came of opening all that a start would get. */
export interface TriedOpening {
  readonly findings: readonly Finding[];
  /** The credentials that the start gets; those that it asks for by name if it can't be opened. */
  readonly names: readonly string[];
  /** Whether those are all. */
  readonly areAll: boolean;
}

/** Opens what a start of a unit would get, and wipes it. Nothing is decided by it. */
export async function tryOpening(
  unit: string,
  wanted: Wanted,
  means: OpeningMeans,
): Promise<TriedOpening> {
  const request = { ...wanted, unit, inPlace: false };
  const rendered = [...wanted.renders.keys()];
  const opened = await open(request, means);
  if (!(opened instanceof Failure)) {
    const { credentials, warnings } = opened;
    try {
      const values = valuesOf(opened);
      const failure = await failureOf(() => answer(unit, wanted, values));
      return {
        findings: [
          // What the clock is before, the machine's and the unit's times tell.
          ...warnings.filter(({ code }) => code !== "clock/behind").map(warning),
          ...(failure === undefined ? [] : [error(failure)]),
        ],
        names: [...values.keys(), ...rendered],
        areAll: true,
      };
    } finally {
      wipe(...credentials.map(({ value }) => value));
    }
  }
  return {
    findings: (await eachFailure(request, means, opened)).map(error),
    names: [...(wanted.credentials ?? []), ...rendered],
    areAll: false,
  };
}

async function answer(
  unit: string,
  wanted: Wanted,
  values: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  wipe(...(await answersOf(unit, wanted, values)).values());
}

/** A start ends with the first bundle that can't be opened; here each tells why. */
async function eachFailure(
  request: OpeningRequest,
  means: OpeningMeans,
  first: Failure,
): Promise<Failure[]> {
  const failures = new Map<string, Failure>();
  const { bundles } = request;
  for (const bundle of bundles.length === 1 ? [] : bundles) {
    const opened = await open({ ...request, bundles: [bundle], credentials: undefined }, means);
    if (opened instanceof Failure) failures.set(opened.message, opened);
    else wipe(...opened.credentials.map(({ value }) => value));
  }
  return [...failures.set(first.message, first).values()];
}

async function open(
  request: OpeningRequest,
  { node, identities, memory, now }: OpeningMeans,
): Promise<Opening | Failure> {
  // A unit may be started for its closure alone.
  if (request.bundles.length === 0)
    return { credentials: [], bundles: [], mirroredAt: undefined, warnings: [] };
  try {
    return await openBundles(request, node, identities, now, memory);
  } catch (failure) {
    if (failure instanceof Failure) return failure;
    throw failure;
  }
}
