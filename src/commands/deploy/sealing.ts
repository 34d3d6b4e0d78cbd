import { dirname, join, resolve } from "node:path";
import { readRoster, readStatement } from "../../cluster/cluster.ts";
import {
  decodeSealedFrom,
  encodeSealedFrom,
  sealedFromFile,
  type SealedFrom,
  type SealedSource,
} from "../../formats/sealed-from.ts";
import type { ServiceFile } from "../../formats/service-file.ts";
import { readRegularFile, writeFileAtomic } from "../../host/files.ts";
import type { VerifiedStatement } from "../../trust/statement.ts";
import { asPart, type Context } from "../context.ts";
import { openToSign } from "../repository.ts";
import { sealFiles } from "./sealing-files.ts";
import { readValueFiles, type ValueFile } from "./value-files.ts";

/** What is sealed for whom. */
export interface SealingOptions {
  /** The pools of a bundle that is new. */
  readonly pools: readonly string[];
  readonly isDryRun: boolean;
}

const maxRecordSize = 4 * 1024 * 1024;

/**
 * After it, the bundles whose values come from encrypted files have a generation with those of files that
 * have changed since they were sealed; none was made where no file has. What was sealed otherwise since
 * stays, until the file changes.
 *
 * @param path - of the service file, from whose folder the files are named
 * @param top - the repository's directory
 * @returns the service, which takes no older generation of these bundles
 * @throws Failure whatever `seal` does; `configuration/invalid` for what says what was sealed before
 */
export async function sealChanged(
  asked: Context,
  path: string,
  top: string,
  service: ServiceFile,
  options: SealingOptions,
): Promise<ServiceFile> {
  const bundles = Object.entries(service.values);
  if (bundles.length === 0) return service;
  const context: Context = {
    ...asPart(asked),
    directory: dirname(resolve(asked.directory, path)),
    configuration:
      asked.configuration === undefined ? undefined : resolve(asked.directory, asked.configuration),
  };
  const file = join(top, sealedFromFile);
  const record = await readRegularFile(file, maxRecordSize);
  let sealed: SealedFrom = record === undefined ? {} : decodeSealedFrom(record);
  const floors = new Map<string, number>();
  for (const [bundle, files] of bundles) {
    const sources = await readValueFiles(context, top, files);
    const before = await newestOf(context, bundle);
    let newest = before;
    const past = sealed[bundle] ?? [];
    const changed = sources.filter((one) => !isSealed(context, bundle, one, past, before));
    if (changed.length > 0 && options.isDryRun) {
      context.print(`would seal ${bundle} anew: changed are ${listOf(changed)}`);
    } else if (changed.length > 0) {
      const units = before === undefined ? [`${service.name}.service`] : [];
      const pools = before === undefined ? options.pools : [];
      const names = await sealFiles(context, bundle, changed, { pools, units, trim: files.trim });
      newest = await newestOf(context, bundle);
      const payloads = new Map(newest?.credentials.map(({ name, payload }) => [name, payload]));
      const now = changed.map(({ from, hash }): SealedSource => {
        const own = (names.get(from) ?? []).map(
          (name) => [name, payloads.get(name) ?? ""] as const,
        );
        return { from, hash, payloads: Object.fromEntries(own) };
      });
      const kept = past.filter(({ from }) => changed.every((one) => one.from !== from));
      sealed = { ...sealed, [bundle]: [...kept, ...now] };
      await writeFileAtomic(file, encodeSealedFrom(sealed), 0o644);
      context.print(`next: commit what was sealed, with ${sealedFromFile}`);
    }
    if (newest !== undefined) floors.set(bundle, newest.generation);
  }
  return { ...service, bundles: service.bundles.map((one) => withFloor(one, floors)) };
}

async function newestOf(context: Context, bundle: string): Promise<VerifiedStatement | undefined> {
  const cluster = await openToSign(context);
  const { record: roster } = await readRoster(cluster);
  return (await readStatement(cluster, roster, bundle))?.record;
}

/** Whether a file is as it was when its values were sealed. */
function isSealed(
  context: Context,
  bundle: string,
  { from, hash }: ValueFile,
  past: readonly SealedSource[],
  newest: VerifiedStatement | undefined,
): boolean {
  const known = past.find((one) => one.from === from);
  if (known?.hash !== hash || newest === undefined) return false;
  for (const [name, payload] of Object.entries(known.payloads)) {
    const present = newest.credentials.find((credential) => credential.name === name);
    if (present?.payload === payload) continue;
    const how = present === undefined ? "removed" : "sealed otherwise";
    context.warn(
      `credential ${name} of ${bundle} was ${how} since ${from} was sealed, and stays so`,
    );
  }
  return true;
}

const listOf = (files: readonly ValueFile[]): string => files.map(({ from }) => from).join(", ");

/** A bundle as a unit asks for it, no older than what was found sealed here. */
function withFloor(bundle: string, floors: ReadonlyMap<string, number>): string {
  const [name = ""] = bundle.split("@", 1);
  const floor = bundle.includes("=") ? undefined : floors.get(name);
  return floor === undefined ? bundle : `${name}@${String(floor)}+`;
}
