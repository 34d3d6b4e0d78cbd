import type { Located } from "../cluster/configuration.ts";
import type { Memory } from "../cluster/memory.ts";
import { wipe } from "../crypto/bytes.ts";
import type { Identity } from "../crypto/identity.ts";
import type { Failure } from "../failure.ts";
import type { NodeConfiguration } from "../formats/configuration.ts";
import type { Decision } from "../formats/decision.ts";
import type { UnitFacts } from "../host/systemd/systemd.ts";
import { openBringing } from "../launch/bringing.ts";
import { openBundles, type Opening, type OpeningRequest } from "../launch/open.ts";
import { parseProgram, parseStoreFile } from "../service/store-path.ts";
import { answersOf, decisionOf, valuesOf } from "./answers.ts";
import type { Realise } from "./closures.ts";
import { keepDecision, readDecision } from "./decisions.ts";
import { requireReloadable } from "./reloadable.ts";
import { sealedOf, wantedBy, type Wanted } from "./wanted.ts";

/** What the agent opens and realises with. */
export interface Means {
  readonly node: () => Promise<Located<NodeConfiguration>>;
  readonly memory: Memory;
  readonly identities: (node: Located<NodeConfiguration>) => Promise<readonly Identity[]>;
  readonly realise: Realise;
}

/** What one start of a unit gets. */
export interface Prepared {
  /** Every credential's bytes by name, the manifest's too. */
  readonly answers: ReadonlyMap<string, Uint8Array>;
  readonly decision: Decision;
  /** Whether this is the first time that it was decided. */
  readonly isNew: boolean;
  /** When the mirror that it was read from was last brought up to date, if it was and says so. */
  readonly mirroredAt: string | undefined;
  readonly warnings: readonly Failure[];
}

/**
 * What a start of a unit gets: the newest that it may have, or, where an agent before this one has
 * decided, the same bytes again. The decision is kept before this returns.
 *
 * @param timeoutMs - for fetching what the unit runs
 * @throws Failure whatever keeps the unit from starting
 */
export async function prepareStart(
  facts: UnitFacts,
  means: Means,
  timeoutMs: number,
  now: Date,
): Promise<Prepared> {
  const { unit } = facts;
  const [before, node] = await Promise.all([readDecision(facts.invocation), means.node()]);
  const { wanted, decided } =
    before === undefined ? { wanted: wantedBy(facts), decided: undefined } : recall(before);
  if (before === undefined) await requireReloadable(facts, wanted.onChange);
  const request = {
    ...wanted,
    unit,
    inPlace: false,
    ...(decided === undefined ? {} : { decided }),
  };
  const realising = means.realise(unit, wanted, node.configuration.state, timeoutMs);
  const opening = async (): Promise<Opening> => {
    if (wanted.sealed.length > 0) await realising;
    return openBringing(request, node, timeoutMs, () => openWanted(request, node, means, now));
  };
  const [realised, opened] = await Promise.allSettled([realising, opening()]);
  const values = opened.status === "fulfilled" ? opened.value.credentials : [];
  try {
    if (opened.status === "rejected") throw opened.reason;
    if (realised.status === "rejected") throw realised.reason;
    const answers = await answersOf(unit, wanted, valuesOf(opened.value));
    const decision = before ?? decisionOf(facts, wanted, opened.value, now);
    if (before === undefined) keepDecision(decision);
    const { warnings, mirroredAt } = opened.value;
    return { answers, decision, isNew: before === undefined, mirroredAt, warnings };
  } catch (error) {
    wipe(...values.map(({ value }) => value));
    throw error;
  }
}

/** As {@link openBundles}; nothing for a unit that is started for its closure alone. */
export function openWanted(
  request: OpeningRequest,
  node: Located<NodeConfiguration>,
  means: Means,
  now: Date,
): Promise<Opening> {
  if (request.bundles.length === 0) {
    return Promise.resolve({ credentials: [], bundles: [], mirroredAt: undefined, warnings: [] });
  }
  return openBundles(request, node, () => means.identities(node), now, means.memory);
}

/** What was wanted when the start began, whatever the unit says now. */
function recall(before: Decision): {
  readonly wanted: Wanted;
  readonly decided: ReadonlyMap<string, Decision["bundles"][number]>;
} {
  const renders = before.renders.map(
    ({ credential, template }) => [credential, parseStoreFile(template)] as const,
  );
  const bundles = before.bundles.map(({ bundle, path }) => ({ bundle, floor: 0, path }));
  return {
    wanted: {
      bundles,
      credentials: before.credentials,
      renders: new Map(renders),
      programs: before.programs.map(parseProgram),
      files: before.files.map(parseStoreFile),
      sealed: sealedOf(bundles),
      // What it got it gets again.
      fresh: false,
      onChange: undefined,
      commands: before.commands,
    },
    decided: new Map(before.bundles.map((bundle) => [bundle.bundle, bundle])),
  };
}
