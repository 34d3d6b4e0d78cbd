import { type Component } from "../component.ts";
import { plainName } from "../advisories/product-keys.ts";
import { compareVersions } from "../version.ts";

/** Somebody's word on an advisory, or on all of them, for a package: that it is to be ignored. */
export interface Rule {
  /** Who says so: the file, and the author that it names. */
  readonly by: string;
  /** Which components it is about. */
  readonly about: RuleSubject;
  /** Ids in capitals; undefined: every advisory. */
  readonly advisories: ReadonlySet<string> | undefined;
  /** YYYY-MM-DD: from that day on it is void. */
  readonly until: string | undefined;
  readonly why: string;
  /** `patched`: its author says that it is mended. */
  readonly says: "ignored" | "patched";
  /** It is void once an advisory appears that neither it nor another rule for the component lists. */
  readonly isForListedOnly: boolean;
}

export interface RuleSubject {
  /** A name; `*` for every package. */
  readonly name: string;
  /** undefined: every version. */
  readonly version: string | undefined;
  /** The type of a package URL, where it is a language's package or `generic`. */
  readonly ecosystem: string | undefined;
  /** The one store path that it is about. */
  readonly path: string | undefined;
}

const ofStore = /^\/nix\/store\/[0-9a-df-np-sv-z]{32}-(?<name>\S+?)(?:-(?<version>[0-9]\S*))?$/;

/** Whether a rule is about a component, and how exactly: 3 a path, 2 a version, 1 a name, 0 all. */
export function exactness({ about }: Rule, component: Component): number | undefined {
  if (about.path !== undefined) return about.path === component.path ? 3 : undefined;
  if (about.name === "*") return 0;
  if (about.ecosystem !== undefined && about.ecosystem !== "generic" && about.ecosystem !== "nix") {
    if (about.ecosystem !== component.ecosystem) return undefined;
    if (plainName(about.name) !== plainName(component.name)) return undefined;
    return versionFits(about.version, [component.version]);
  }
  // As the derivation is called, too: python2.7-pytest-runner, and 2.7.17-env for a version.
  const raw = ofStore.exec(component.path)?.groups;
  const isOwn = component.ecosystem === undefined && about.name === component.name;
  if (!isOwn && about.name !== raw?.["name"]) return undefined;
  return versionFits(about.version, [component.version, raw?.["version"]]);
}

function versionFits(
  wanted: string | undefined,
  versions: readonly (string | undefined)[],
): number | undefined {
  if (wanted === undefined) return 1;
  const isSame = versions.some((one) => one !== undefined && compareVersions(one, wanted) === 0);
  return isSame ? 2 : undefined;
}
