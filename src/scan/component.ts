import { cveIdsIn } from "./cve-ids.ts";
import { ecosystemOf } from "./advisories/ecosystem.ts";
import { oneName } from "./advisories/products.ts";
import { storeName } from "./store/name.ts";

/** What a store path is. */
export interface Component {
  /** `/nix/store/HASH-NAME`. */
  readonly path: string;
  /** Upstream's package, as nixpkgs calls it: openssl. */
  readonly name: string;
  /** The language whose package it is, as package URLs write it (pypi, cpan); undefined for others. */
  readonly ecosystem: string | undefined;
  readonly version: string | undefined;
  /** File names of patches, where known. */
  readonly patches: readonly string[];
  /** CVE ids that patches, or the derivation itself, name as mended. */
  readonly fixes: readonly string[];
  /** The patch that mends each of them, where it is a patch. */
  readonly mendedBy?: ReadonlyMap<string, string>;
  /** URLs. */
  readonly sources: readonly string[];
  /** Where that is known from. */
  readonly from: "publisher" | "derivation" | "path";
}

/** What whoever filled a binary cache wrote of a store path there. */
export interface PublishedFacts {
  readonly path: string;
  readonly name: string;
  readonly version?: string | undefined;
  readonly patches: readonly { readonly name: string; readonly fixes: readonly string[] }[];
  readonly fixes: readonly string[];
  readonly sources: readonly string[];
  readonly licence?: string | undefined;
}

/** What a derivation says of what it makes. */
export interface DerivationFacts {
  /** Where it lies: `/nix/store/HASH-NAME.drv`. */
  readonly derivation: string;
  readonly name: string;
  readonly version: string | undefined;
  readonly patches: readonly string[];
  readonly fixes: readonly string[];
  readonly sources: readonly string[];
}

/**
 * What the store path `path` is, by `known`, else by its name. Undefined if it is no package: a
 * patch, a derivation, a source, a file, or what NixOS makes of packages.
 *
 * @param path - `/nix/store/HASH-NAME`
 */
export function componentOf(
  path: string,
  known?: PublishedFacts | DerivationFacts,
): Component | undefined {
  const named = storeName(path);
  if (named === undefined) return undefined;
  if (known === undefined)
    return {
      path,
      ...upstreamsName(named.name, []),
      version: named.version,
      patches: [],
      fixes: [],
      sources: [],
      from: "path",
    };
  const patches = known.patches.map((one) =>
    typeof one === "string" ? { name: one, fixes: [] } : one,
  );
  const mended = patches.flatMap(({ name, fixes }) =>
    [name, ...fixes].flatMap(cveIdsIn).map((id) => [id, name] as const),
  );
  // The publisher's name may be the bare one; the path's says whose language it is in.
  const isBare = ecosystemOf(named.name, []).name === known.name;
  const version = known.version ?? named.version;
  return {
    path,
    ...upstreamsName(isBare ? named.name : known.name, known.sources),
    version: version === "" ? undefined : version,
    patches: patches.map(({ name }) => name),
    fixes: [...new Set([...known.fixes.flatMap(cveIdsIn), ...mended.map(([id]) => id)])],
    mendedBy: new Map(mended),
    sources: known.sources,
    from: "derivation" in known ? "derivation" : "publisher",
  };
}

/** What upstream's package is called, and in which language, of what nixpkgs calls `name`. */
function upstreamsName(
  name: string,
  sources: readonly string[],
): Pick<Component, "name" | "ecosystem"> {
  const found = ecosystemOf(name, sources);
  return found.ecosystem === undefined ? { ...found, name: oneName(found.name) } : found;
}
