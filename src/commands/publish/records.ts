import { resolve } from "node:path";
import packageFile from "../../../package.json" with { type: "json" };
import type { CacheKey } from "../../formats/cache-key.ts";
import {
  publisherRecordKey,
  signPublisherRecord,
  type PublisherRecord,
} from "../../formats/publisher-record.ts";
import { writeFileAtomic } from "../../host/files.ts";
import type { ValidPath } from "../../host/nix/path-info.ts";
import { cveIdsIn } from "../../scan/cve-ids.ts";
import type { Context } from "../context.ts";
import { derivationsIn, type Made } from "../derivations.ts";
import { reportWritten } from "../report.ts";

/**
 * What the derivations say of those paths whose derivations are there, by store path. A machine that
 * fetched a path has none.
 */
export function readFacts(
  paths: readonly ValidPath[],
  placeOf: (storePath: string) => string,
): Map<string, PublisherRecord> {
  const madeBy = derivationsIn(placeOf);
  return new Map(
    paths.flatMap(({ storePath, deriver }) => {
      const made = deriver === undefined ? undefined : madeBy(storePath, deriver);
      return made === undefined ? [] : [[storePath, recordOf(storePath, made)] as const];
    }),
  );
}

function recordOf(path: string, { facts, derivation }: Made): PublisherRecord {
  const { name, version, patches, fixes, sources } = facts;
  const [licence] = ["licence", "license"].flatMap((one) => derivation.attributes.get(one) ?? []);
  return {
    path,
    name,
    ...(version === undefined ? {} : { version }),
    patches: patches.map((patch) => ({ name: patch, fixes: [...cveIdsIn(patch)] })),
    fixes: [...fixes],
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
  const { sbomOf } = await import("../../scan/report/sbom-cyclonedx.ts");
  const text = sbomOf(closure, readFacts(closure, placeOf), context.now, packageFile.version);
  const path = resolve(context.directory, file);
  await writeFileAtomic(path, new TextEncoder().encode(text), 0o644);
  reportWritten(context, [path]);
}
