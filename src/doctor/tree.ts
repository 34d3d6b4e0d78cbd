import { accessSync, constants, readlinkSync } from "node:fs";
import { join, normalize } from "node:path";
import type { UnitSettings } from "../service/unit-settings.ts";

/** Links that are followed before somebody is taken for joking, as the kernel does. */
const maxLinks = 40;

/** A file as a unit sees it. */
export interface SeenFile {
  /** Its path there, with every link followed. */
  readonly path: string;
  /** Its path on this machine. */
  readonly place: string;
}

/**
 * The file that a unit finds at `path`, below its `RootDirectory=` and among its `BindPaths=`; undefined
 * if there is none that may be executed.
 */
export function findInTree(
  settings: Pick<UnitSettings, "rootDirectory" | "binds">,
  path: string,
): SeenFile | undefined {
  let rest = normalize(path).split("/").filter(Boolean);
  let seen = "/";
  for (let links = 0; rest.length > 0;) {
    const [name = "", ...after] = rest;
    const next = join(seen, name);
    const target = linkTarget(placeOf(settings, next));
    if (target === undefined) {
      seen = next;
      rest = after;
      continue;
    }
    if (++links > maxLinks) return undefined;
    rest = [
      ...join(target.startsWith("/") ? "/" : seen, target)
        .split("/")
        .filter(Boolean),
      ...after,
    ];
    seen = "/";
  }
  const place = placeOf(settings, seen);
  try {
    accessSync(place, constants.X_OK);
    return { path: seen, place };
  } catch {
    return undefined;
  }
}

/** Where on this machine a path of a unit's lies. */
function placeOf(
  { rootDirectory, binds }: Pick<UnitSettings, "rootDirectory" | "binds">,
  path: string,
): string {
  const holding = binds
    .filter(({ destination }) => destination === path || path.startsWith(`${destination}/`))
    .sort((a, b) => b.destination.length - a.destination.length);
  const [bind] = holding;
  return bind === undefined
    ? join("/", rootDirectory, path)
    : join(bind.source, path.slice(bind.destination.length));
}

function linkTarget(place: string): string | undefined {
  try {
    return readlinkSync(place);
  } catch {
    return undefined;
  }
}
