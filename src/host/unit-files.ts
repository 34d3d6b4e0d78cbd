import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { listDirectory } from "./files.ts";

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
  /** By name; of two with one name that which counts. */
  readonly dropIns: ReadonlyMap<string, string>;
}

/**
 * The files of the unit at `path`, or of the machine's unit of that name; undefined if there is none.
 *
 * @param name - undefined if only the path is meant
 */
export async function findUnitFiles(path: string, name?: string): Promise<UnitFiles | undefined> {
  const given = await resolveLinks(path);
  const places =
    given === undefined && name !== undefined
      ? [...new Set([name, templateOf(name)])].flatMap((one) =>
          directories.map((directory) => join(directory, one)),
        )
      : [path];
  const [main] = (await Promise.all(places.map(resolveLinks))).filter((one) => one !== undefined);
  if (main === undefined) return undefined;
  const dropIns = new Map<string, string>();
  for (const place of places) {
    for (const file of await listDirectory(`${place}.d`)) {
      const found = await resolveLinks(join(`${place}.d`, file));
      if (file.endsWith(".conf") && found !== undefined && !dropIns.has(file))
        dropIns.set(file, found);
    }
  }
  return { main, dropIns };
}

/** Of `dns@1.service` it is `dns@.service`; what is no instance stays as it is. */
function templateOf(name: string): string {
  return name.replace(/@.*(?=\.)/u, "@");
}

function resolveLinks(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined);
}
