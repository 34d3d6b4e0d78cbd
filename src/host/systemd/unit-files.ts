import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { listDirectory } from "../files.ts";

// Where units of the system lie, the first before the others (systemd.unit(5)).
const directories = [
  "/etc/systemd/system",
  "/run/systemd/system",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
];

/** The files of a unit, links resolved. */
export interface UnitFiles {
  readonly main: string;
  /** By name; of those with one name that which counts. */
  readonly dropIns: ReadonlyMap<string, string>;
}

/**
 * The files of the unit at `path`, or of the machine's unit of that name; undefined if there is none.
 * Drop-ins are looked for as systemd does, also for all units whose names begin alike and for all of
 * that type.
 *
 * @param path - with a slash where a file is meant, absolute
 */
export async function findUnitFiles(path: string): Promise<UnitFiles | undefined> {
  const name = basename(path);
  const places = path === name ? directories : [dirname(path)];
  const [stem = "", instance] = name.slice(0, name.lastIndexOf(".")).split("@");
  const type = name.slice(name.lastIndexOf("."));
  const template = instance === undefined || instance === "" ? [] : [`${stem}@${type}`];
  const files = [name, ...template].flatMap((one) => places.map((place) => join(place, one)));
  const [main] = (await Promise.all(files.map(resolveLinks))).filter((one) => one !== undefined);
  if (main === undefined) return undefined;
  const dropIns = new Map<string, string>();
  const folders = [
    ...places.flatMap((place) =>
      alike(stem, instance).map((one) => join(place, `${one}${type}.d`)),
    ),
    ...places.map((place) => join(place, `${type.slice(1)}.d`)),
  ];
  for (const folder of folders) {
    for (const file of await listDirectory(folder)) {
      const found = await resolveLinks(join(folder, file));
      if (/^[^.].*\.conf$/u.test(file) && found !== undefined && !dropIns.has(file))
        dropIns.set(file, found);
    }
  }
  // A link to it takes those of its name out of use.
  return { main, dropIns: new Map([...dropIns].filter(([, found]) => found !== "/dev/null")) };
}

/**
 * The names, without their type, for which drop-ins count: of `dns-eu@1` also `dns-eu@`, `dns-`,
 * `dns-@1` and `dns-@`, in systemd's order.
 *
 * @param instance - of a template itself it is empty
 */
function alike(stem: string, instance: string | undefined): string[] {
  const end = stem.replace(/-$/u, "").lastIndexOf("-");
  const prefix = end > 0 ? stem.slice(0, end + 1) : undefined;
  if (instance === undefined)
    return [stem, ...(prefix === undefined ? [] : alike(prefix, undefined))];
  const isTemplate = instance === "";
  // systemd looks for units that begin as a template does among those that are none.
  const inherited = isTemplate ? undefined : instance;
  return [
    `${stem}@${instance}`,
    ...(isTemplate ? [] : alike(stem, "")),
    ...(prefix === undefined ? [] : alike(prefix, inherited)),
  ];
}

function resolveLinks(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined);
}
