import { basename, join, resolve } from "node:path";
import type { Finding } from "../../cluster/checking.ts";
import type { Cluster } from "../../cluster/cluster.ts";
import { textOf } from "../../crypto/bytes.ts";
import { asksOfService, asksOfUnit, type UnitAsks } from "../../doctor/unit-asks.ts";
import { examineAsks } from "../../doctor/unit-bundles.ts";
import { Failure } from "../../failure.ts";
import { parseName } from "../../formats/names.ts";
import { decodeServiceFile } from "../../formats/service-file.ts";
import { findUnitFiles } from "../../host/systemd/unit-files.ts";
import { listFiles } from "../../host/walk.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import type { Context } from "../context.ts";
import { readUnitPart } from "../unit/part.ts";
import { readFileOf } from "../given-file.ts";

/** Something that asks for credentials: a unit's name with its files, or a service file. */
type Asker =
  | { readonly unit: string; readonly files: readonly string[] }
  | { readonly service: string; readonly isNamed: boolean };

/**
 * What the units at `paths` ask for and the bundles don't serve.
 *
 * @param paths - unit files, service files, or directories in which they lie, at any depth
 * @throws Failure `file/absent`, `usage/invalid` for a file that is neither
 */
export async function checkUnits(
  context: Context,
  cluster: Cluster,
  roster: VerifiedRoster,
  paths: readonly string[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const path of paths) {
    for (const asker of await askersAt(context, path)) {
      const object = "unit" in asker ? asker.unit : basename(asker.service);
      try {
        const asks =
          "unit" in asker ? await readUnit(context, asker) : await readService(context, asker);
        if (asks !== undefined) findings.push(await examineAsks(cluster, roster, asks));
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        const isNote = error.code === "unit/unresolved";
        const [failures, notes] = isNote ? [[], [error]] : [[error], []];
        findings.push({ object: `unit ${object}`, generation: "-", failures, notes });
      }
    }
  }
  return findings;
}

async function askersAt(context: Context, path: string): Promise<Asker[]> {
  const place = resolve(context.directory, path);
  const inside = await listFiles(place);
  if (inside === undefined) {
    if (path.endsWith(".json")) return [{ service: place, isNamed: true }];
    if (path.endsWith(".service")) return [await unitAt(place)];
    await readFileOf(context, path);
    throw new Failure(
      "usage/invalid",
      `${path} is no unit file (NAME.service), no service file (NAME.json) and no directory`,
    );
  }
  const units = inside.filter((file) => file.endsWith(".service")).map((file) => join(place, file));
  // Drop-ins for units that lie elsewhere, as 'unit --wrap' writes them.
  const wrapped = inside
    .map((file) => /^(.*\.service)\.d\/[^/]+\.conf$/u.exec(file)?.[1])
    .filter((unit) => unit !== undefined && !inside.includes(unit))
    .map((unit) => join(place, unit ?? ""));
  const services = inside.filter((file) => file.endsWith(".json"));
  return [
    ...(await Promise.all([...new Set([...units, ...wrapped])].sort().map(unitAt))),
    ...services.map((file) => ({ service: join(place, file), isNamed: false })),
  ];
}

async function unitAt(path: string): Promise<Asker> {
  const found = await findUnitFiles(path);
  const unit = parseName("unit", basename(path));
  if (found !== undefined) return { unit, files: [found.main, ...inOrder(found.dropIns)] };
  const names = ((await listFiles(`${path}.d`)) ?? [basename(path)]).filter(
    (name) => !name.includes("/"),
  );
  const folder = `${path}.d`;
  return { unit, files: inOrder(new Map(names.map((name) => [name, join(folder, name)]))) };
}

/** Drop-ins in the order in which systemd reads them: by their names. */
function inOrder(dropIns: ReadonlyMap<string, string>): string[] {
  return [...dropIns].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, file]) => file);
}

async function readUnit(
  context: Context,
  { unit, files }: Extract<Asker, { unit: string }>,
): Promise<UnitAsks | undefined> {
  const parts = await Promise.all(files.map((file) => readUnitPart(context, file)));
  return asksOfUnit(unit, parts.flat());
}

/** What a service file asks for; undefined for other JSON that lay in a directory. */
async function readService(
  context: Context,
  { service, isNamed }: Extract<Asker, { service: string }>,
): Promise<UnitAsks | undefined> {
  const bytes = await readFileOf(context, service);
  if (!isNamed && !looksLikeService(textOf(bytes))) return undefined;
  return asksOfService(decodeServiceFile(bytes, basename(service)));
}

function looksLikeService(text: string | undefined): boolean {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" && value !== null && "program" in value && "bundles" in value;
  } catch {
    return false;
  }
}
