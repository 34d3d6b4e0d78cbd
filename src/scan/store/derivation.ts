import { parseTerm } from "./aterm.ts";
import { type DerivationFacts } from "../component.ts";
import { cveIdsIn } from "../cve-ids.ts";
import { fields, list, text } from "../advisories/json.ts";
import { splitName } from "./name.ts";

/** What a derivation says that is of use here. */
export interface Derivation {
  /** Store paths of what it makes. */
  readonly outputs: readonly string[];
  /** Store paths of the derivations that it is built from. */
  readonly inputs: readonly string[];
  /** Its environment, or what its structured attributes have in place of it; lists as lists. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

/**
 * A derivation as its file has it (`Derive(…)`, in ATerm); undefined if it is none.
 *
 * @param file - what a `.drv` holds
 */
export function parseDerivation(file: string): Derivation | undefined {
  const term = parseTerm(file, "Derive");
  // Seven arguments since there are derivations.
  if (term?.length !== 7) return undefined;
  const [outputs, inputs, , , , , environment] = term;
  const pairs = list(environment).map(list);
  const attributes = new Map<string, readonly string[]>();
  for (const [name, value] of pairs)
    if (typeof name === "string" && typeof value === "string") attributes.set(name, [value]);
  const structured = attributes.get("__json")?.[0];
  if (structured !== undefined) addStructured(attributes, structured);
  return {
    outputs: list(outputs).flatMap((output) => text(list(output)[1]) ?? []),
    inputs: list(inputs).flatMap((input) => text(list(input)[0]) ?? []),
    attributes,
  };
}

/** `__structuredAttrs` puts all of a derivation's attributes into one variable, as JSON. */
function addStructured(attributes: Map<string, readonly string[]>, json: string): void {
  let values: unknown;
  try {
    values = JSON.parse(json);
  } catch {
    return;
  }
  for (const [name, value] of Object.entries(fields(values))) {
    const texts = (Array.isArray(value) ? value : [value]).filter((one) => typeof one === "string");
    attributes.set(name, texts);
  }
}

/** The words of an attribute: a list's, or what spaces part. */
function wordsOf({ attributes }: Derivation, name: string): readonly string[] {
  return (attributes.get(name) ?? [])
    .flatMap((one) => one.split(/\s+/))
    .filter((one) => one !== "");
}

const hashed = /^\/nix\/store\/[0-9a-df-np-sv-z]{32}-/;

/**
 * What the derivation at `path` says of what it makes.
 *
 * @param inputOf - a derivation that it is built from, by store path, where that is at hand: the
 *   URLs of sources stand there
 */
export function derivationFacts(
  path: string,
  derivation: Derivation,
  inputOf: (path: string) => Derivation | undefined = () => undefined,
): DerivationFacts {
  const [full = path.replace(hashed, "").replace(/\.drv$/, "")] =
    derivation.attributes.get("name") ?? [];
  const [stated] = derivation.attributes.get("version") ?? [];
  const split = splitName(full);
  const isStated = stated !== undefined && stated !== "";
  const patches = wordsOf(derivation, "patches").map((patch) => patch.replace(hashed, ""));
  return {
    derivation: path,
    // Not pname: that of python3.11-requests is requests, as that of other things may be.
    name: isStated && full.endsWith(`-${stated}`) ? full.slice(0, -stated.length - 1) : split.name,
    version: isStated ? stated : split.version,
    patches,
    fixes: [...new Set([...patches, ...wordsOf(derivation, "fixes")].flatMap(cveIdsIn))],
    sources: sourcesOf(derivation, inputOf),
  };
}

function sourcesOf(
  derivation: Derivation,
  inputOf: (path: string) => Derivation | undefined,
): readonly string[] {
  const made = new Set([...wordsOf(derivation, "src"), ...wordsOf(derivation, "srcs")]);
  const inputs = derivation.inputs
    .flatMap((path) => inputOf(path) ?? [])
    .filter(({ outputs }) => outputs.some((output) => made.has(output)));
  const urls = [derivation, ...inputs].flatMap((one) => [
    ...wordsOf(one, "urls"),
    ...wordsOf(one, "url"),
  ]);
  return [...new Set(urls)].filter((url) => /^[a-z+]+:\/\//i.test(url));
}
