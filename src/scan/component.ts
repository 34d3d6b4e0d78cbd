import { cveIdsIn } from "./cve-ids.ts";
import { ecosystemOf } from "./ecosystem.ts";
import { oneName } from "./products.ts";
import { storeName } from "./store-name.ts";

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
  if (known === undefined) return component(path, named.name, named.version, [], [], [], "path");
  const patches = known.patches.map((patch) => (typeof patch === "string" ? patch : patch.name));
  const ofPatches = known.patches.flatMap((patch) =>
    typeof patch === "string" ? [] : patch.fixes,
  );
  const fixes = [...known.fixes, ...ofPatches, ...patches].flatMap(cveIdsIn);
  // The publisher's name may be the bare one; the path's says whose language it is in.
  const byPath = ecosystemOf(named.name, []);
  const called = byPath.name === known.name ? named.name : known.name;
  const from = "derivation" in known ? "derivation" : "publisher";
  // A derivation without a version of its own may still have it in its name.
  const version = known.version ?? named.version;
  return component(path, called, version, patches, fixes, known.sources, from);
}

function component(
  path: string,
  called: string,
  version: string | undefined,
  patches: readonly string[],
  fixes: readonly string[],
  sources: readonly string[],
  from: Component["from"],
): Component {
  const { ecosystem, name } = ecosystemOf(called, sources);
  return {
    path,
    name: ecosystem === undefined ? oneName(name) : name,
    ecosystem,
    version: version === "" ? undefined : version,
    patches,
    fixes: [...new Set(fixes)],
    sources,
    from,
  };
}
