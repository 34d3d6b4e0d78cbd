import { Failure } from "../failure.ts";
import type { UnitFacts } from "../host/systemd/systemd.ts";
import type { BundleRequest } from "../launch/wanted-statement.ts";
import { parseRequest, type RunRequest } from "../launch/run-options.ts";
import type { OnChange } from "../service/on-change.ts";
import {
  isInStore,
  parseProgram,
  parseStoreFile,
  type StoreObject,
} from "../service/store-path.ts";

/** What a start needs of the store. */
export interface Needed {
  readonly programs: readonly StoreObject[];
  /** Templates, and the wrapper. */
  readonly files: readonly StoreObject[];
  /** Store paths of bundles. */
  readonly sealed: readonly string[];
}

/** What a unit wants of the agent: what stands in its wrapper's arguments, as PID 1 has them. */
export interface Wanted extends Needed {
  readonly bundles: readonly BundleRequest[];
  /** All credentials of the bundles if undefined. */
  readonly credentials: readonly string[] | undefined;
  /** Templates by the credential that they become. */
  readonly renders: ReadonlyMap<string, StoreObject>;
  /** Whether one of them insists on what the source has now. */
  readonly fresh: boolean;
  /** What becomes of the running service when there are newer values; nothing if undefined. */
  readonly onChange: OnChange | undefined;
  /** Each guarded command's arguments up to its program, joined by blanks. */
  readonly commands: readonly string[];
}

/** A command that the wrapper guards. */
interface Guarded {
  readonly wrapper: string;
  readonly request: RunRequest;
  readonly command: string;
}

/**
 * What the guarded commands of a unit want, together.
 *
 * @throws Failure `unit/not-guarded` if there is none; `usage/…`, `closure/not-in-store` for
 *   arguments that the wrapper doesn't take
 */
export function wantedBy({
  unit,
  commands,
  reloads,
}: Pick<UnitFacts, "unit" | "commands" | "reloads">): Wanted {
  const started = guardedOf(commands);
  if (started.length === 0) {
    throw new Failure(
      "unit/not-guarded",
      `no ExecStartPre= or ExecStart= of ${unit} is 'sealaunch run' or 'sealaunch check'`,
      `sealaunch unit --wrap ${unit}`,
    );
  }
  const guarded = [...started, ...guardedOf(reloads)];
  const requests = guarded.map(({ request }) => request);
  const limited = requests.map(({ credentials }) => credentials);
  const programs = requests.map(({ program }) => program).filter(isInStore);
  const renders = new Map(requests.flatMap((request) => [...request.renders]));
  const bundles = mergeBundles(requests.flatMap((request) => request.bundles));
  return {
    bundles,
    credentials: limited.every((names) => names !== undefined)
      ? distinct(limited.flat())
      : undefined,
    renders,
    fresh: requests.some(({ fresh }) => fresh),
    onChange: requests.find(({ onChange }) => onChange !== undefined)?.onChange,
    programs: distinct(programs).map(parseProgram),
    files: distinct([
      ...[...renders.values()].map(({ path }) => path),
      ...guarded.map(({ wrapper }) => wrapper).filter(isInStore),
    ]).map(parseStoreFile),
    sealed: sealedOf(bundles),
    commands: distinct(guarded.map(({ command }) => command)),
  };
}

const guardedOf = (commands: UnitFacts["commands"]): Guarded[] =>
  commands.map(({ words }) => parseGuarded(words)).filter((one) => one !== undefined);

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)];

/** The store paths that bundles are to come from. */
export function sealedOf(bundles: readonly BundleRequest[]): string[] {
  return distinct(bundles.map(({ path }) => path).filter((path) => path !== undefined));
}

/** Each bundle once, with the highest of its floors. @throws Failure `usage/invalid` if two paths have it */
function mergeBundles(bundles: readonly BundleRequest[]): BundleRequest[] {
  const merged = new Map<string, BundleRequest>();
  for (const request of bundles) {
    const { bundle, floor, path } = request;
    const before = merged.get(bundle) ?? request;
    if (before.path !== path) {
      throw new Failure(
        "usage/invalid",
        `bundle ${bundle} is to come from ${before.path ?? "the source"}, and from ${path ?? "the source"}`,
        "let all commands of the unit name the same: --bundle NAME=/nix/store/…",
      );
    }
    merged.set(bundle, { bundle, floor: Math.max(floor, before.floor), path });
  }
  return [...merged.values()];
}

/**
 * What a command asks for; undefined if it is none that the wrapper guards.
 *
 * @throws Failure `usage/…`, `closure/not-in-store` for arguments that the wrapper doesn't take
 */
export function guardedRequest(words: readonly string[]): RunRequest | undefined {
  return parseGuarded(words)?.request;
}

function parseGuarded([wrapper = "", verb = "", ...rest]: readonly string[]): Guarded | undefined {
  if (!wrapper.endsWith("/sealaunch")) return undefined;
  if (verb === "run") {
    const end = rest.indexOf("--");
    const program = rest[end + 1];
    if (end < 0 || program === undefined) return undefined;
    const options = rest.slice(0, end);
    const command = joinWords([verb, ...options, "--"], program);
    return { wrapper, request: parseRequest(options, program), command };
  }
  if (verb !== "check" && verb !== "reload") return undefined;
  return { wrapper, request: parseRequest(rest, ""), command: joinWords([verb, ...rest]) };
}

/** Words in one line. Only the program may have a blank, so that no two commands have the same. */
function joinWords(options: readonly string[], ...program: readonly string[]): string {
  const words = [...options, ...program];
  if (options.some((word) => /\s/u.test(word)) || words.some((word) => word.includes("\n"))) {
    throw new Failure(
      "usage/invalid",
      "an option of the wrapper has a blank or a newline in it",
      "give options and the program without them; arguments of the program may have any",
    );
  }
  return words.join(" ");
}
