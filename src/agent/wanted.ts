import { hex, utf8 } from "../crypto/bytes.ts";
import { sha256 } from "../crypto/digest.ts";
import { Failure } from "../failure.ts";
import type { UnitFacts } from "../host/systemd.ts";
import type { BundleRequest } from "../launch/open.ts";
import { parseRequest, type RunRequest } from "../launch/run-options.ts";
import {
  isInStore,
  parseProgram,
  parseStoreFile,
  type StoreObject,
} from "../service/store-path.ts";

/** What a unit wants of the agent: what stands in its wrapper's arguments, as PID 1 has them. */
export interface Wanted {
  readonly bundles: readonly BundleRequest[];
  /** All credentials of the bundles if undefined. */
  readonly credentials: readonly string[] | undefined;
  /** Templates by the credential that they become. */
  readonly renders: ReadonlyMap<string, StoreObject>;
  /** What has to be there and to stay: programs, templates and the wrapper. */
  readonly objects: readonly StoreObject[];
  /** Hex of the SHA-256 of each guarded command's arguments, as the wrapper computes it. */
  readonly arguments: readonly string[];
}

/** A command that the wrapper guards. */
interface Guarded {
  readonly wrapper: string;
  readonly request: RunRequest;
  readonly hash: string;
}

/**
 * What the guarded commands of a unit want, together.
 *
 * @throws Failure `unit/not-guarded` if there is none; `usage/…`, `closure/not-in-store` for
 *   arguments that the wrapper doesn't take
 */
export function wantedBy({ unit, commands }: UnitFacts): Wanted {
  const guarded = commands
    .map(({ words }) => parseGuarded(words))
    .filter((one) => one !== undefined);
  if (guarded.length === 0) {
    throw new Failure(
      "unit/not-guarded",
      `no ExecStartPre= or ExecStart= of ${unit} is 'sealaunch run' or 'sealaunch check'`,
      `sealaunch unit --wrap ${unit}`,
    );
  }
  const requests = guarded.map(({ request }) => request);
  const limited = requests.map(({ credentials }) => credentials);
  const programs = requests.map(({ program }) => program).filter(isInStore);
  const renders = new Map(requests.flatMap((request) => [...request.renders]));
  return {
    bundles: mergeBundles(requests.flatMap(({ bundles }) => bundles)),
    credentials: limited.every((names) => names !== undefined)
      ? [...new Set(limited.flat())]
      : undefined,
    renders,
    objects: [
      ...programs.map(parseProgram),
      ...renders.values(),
      ...guarded
        .map(({ wrapper }) => wrapper)
        .filter(isInStore)
        .map(parseStoreFile),
    ],
    arguments: [...new Set(guarded.map(({ hash }) => hash))],
  };
}

/** Each bundle once, with the highest of its floors. */
function mergeBundles(bundles: readonly BundleRequest[]): BundleRequest[] {
  const floors = new Map<string, number>();
  for (const { bundle, floor } of bundles) {
    floors.set(bundle, Math.max(floor, floors.get(bundle) ?? 0));
  }
  return [...floors].map(([bundle, floor]) => ({ bundle, floor }));
}

function parseGuarded([wrapper = "", verb = "", ...rest]: readonly string[]): Guarded | undefined {
  if (!wrapper.endsWith("/sealaunch")) return undefined;
  if (verb === "run") {
    const end = rest.indexOf("--");
    const program = rest[end + 1];
    if (end < 0 || program === undefined) return undefined;
    const options = rest.slice(0, end);
    const hash = hashArguments([verb, ...options, "--", program]);
    return { wrapper, request: parseRequest(options, program), hash };
  }
  if (verb !== "check") return undefined;
  return { wrapper, request: parseRequest(rest, ""), hash: hashArguments([verb, ...rest]) };
}

/** As the wrapper computes it: of the arguments, each with a NUL at its end. */
function hashArguments(words: readonly string[]): string {
  return hex(sha256(utf8(words.map((word) => `${word}\0`).join(""))));
}
