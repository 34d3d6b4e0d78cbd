import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import packageFile from "../../package.json" with { type: "json" };
import type { CacheKey } from "../formats/cache-key.ts";
import {
  publisherRecordKey,
  signPublisherRecord,
  type PublisherRecord,
} from "../formats/publisher-record.ts";
import { writeFileAtomic } from "../host/files.ts";
import type { ValidPath } from "../host/nix-closure.ts";
import { cveIdsIn } from "../scan/cve-ids.ts";
import { derivationFacts, parseDerivation, type Derivation } from "../scan/derivation.ts";
import type { Context } from "./context.ts";
import { reportWritten } from "./report.ts";

/**
 * What the derivations say of those paths whose derivations are there, by store path. A machine that
 * fetched a path has none.
 */
export function readFacts(
  paths: readonly ValidPath[],
  placeOf: (storePath: string) => string,
): Map<string, PublisherRecord> {
  const known = new Map<string, Derivation | undefined>();
  const read = (derivation: string): Derivation | undefined => {
    if (!known.has(derivation)) known.set(derivation, readDerivation(placeOf(derivation)));
    return known.get(derivation);
  };
  return new Map(
    paths.flatMap(({ storePath, deriver }) => {
      const derivation = deriver === undefined ? undefined : read(deriver);
      // Nix may name one that made the same path's content once, and now makes another.
      if (deriver === undefined || derivation?.outputs.includes(storePath) !== true) return [];
      return [[storePath, recordOf(storePath, deriver, derivation, read)] as const];
    }),
  );
}

function readDerivation(place: string): Derivation | undefined {
  try {
    return parseDerivation(readFileSync(place, "utf8"));
  } catch {
    return undefined;
  }
}

const hash = /^\/nix\/store\/[^-]*-/u;

function recordOf(
  path: string,
  deriver: string,
  derivation: Derivation,
  read: (derivation: string) => Derivation | undefined,
): PublisherRecord {
  const attribute = (name: string): readonly string[] => derivation.attributes.get(name) ?? [];
  const made = [...attribute("src"), ...attribute("srcs")].flatMap((one) => one.split(/\s+/u));
  // Of dozens of inputs only these are read: what a source is made by is called as the source is.
  const wanted = new Set(made.map((source) => `${source.replace(hash, "")}.drv`));
  const { name, version, patches, fixes, sources } = derivationFacts(
    deriver,
    derivation,
    (input) => (wanted.has(input.replace(hash, "")) ? read(input) : undefined),
  );
  const [licence] = [...attribute("licence"), ...attribute("license")];
  const stated = attribute("fixes").flatMap(cveIdsIn);
  return {
    path,
    name,
    ...(version === undefined ? {} : { version }),
    patches: patches.map((patch) => ({ name: patch, fixes: [...cveIdsIn(patch)] })),
    fixes: [...new Set([...fixes, ...stated])],
    sources: [...sources],
    ...(licence === undefined || licence === "" ? {} : { licence }),
  };
}

/** The records as they go into a cache, by name there. */
export function signRecords(
  records: ReadonlyMap<string, PublisherRecord>,
  keys: readonly CacheKey[],
): Map<string, Uint8Array> {
  return new Map(
    [...records].map(([storePath, record]) => [
      publisherRecordKey(storePath),
      signPublisherRecord(record, keys),
    ]),
  );
}

/** After it, a file says what a closure is made of, as CycloneDX 1.6. @throws Failure `write/refused` */
export async function writeSbom(
  context: Context,
  file: string,
  closure: readonly ValidPath[],
  placeOf: (storePath: string) => string,
): Promise<void> {
  const { sbomOf } = await import("../scan/sbom-cyclonedx.ts");
  const text = sbomOf(closure, readFacts(closure, placeOf), context.now, packageFile.version);
  const path = resolve(context.directory, file);
  await writeFileAtomic(path, new TextEncoder().encode(text), 0o644);
  reportWritten(context, [path]);
}
