import { PackageURL } from "packageurl-js";
import { type RuleSubject } from "../rules/rule.ts";

/** What a package URL (https://github.com/package-url/purl-spec) is about; undefined if it is none. */
function subjectOfPurl(text: string): RuleSubject | undefined {
  if (!text.startsWith("pkg:") || text.length > 1_024) return undefined;
  try {
    const { type, namespace, name, version, qualifiers } = PackageURL.fromString(text);
    const inStore = qualifiers?.["store_path"];
    if (inStore !== undefined) return subjectOf(`/nix/store/${inStore}`);
    return {
      // Go and npm have names of several segments.
      name: namespace === undefined ? name : `${namespace}/${name}`,
      version,
      ecosystem: type,
      path: undefined,
    };
  } catch {
    return undefined;
  }
}

/** What a product's identifier is about: a package URL, or a store path. */
export function subjectOf(identifier: string): RuleSubject | undefined {
  if (identifier.startsWith("/nix/store/"))
    return { name: identifier, version: undefined, ecosystem: undefined, path: identifier };
  return subjectOfPurl(identifier);
}

/**
 * The package URL of one store path of a package. What is said of a path with a patch must not be
 * taken for one without, though both have a name and version, so it names the path too.
 */
export function packageUrl(
  { name, version }: { readonly name: string; readonly version: string | undefined },
  path: string,
): string {
  const qualifiers = { store_path: path.replace(/^\/nix\/store\//u, "") };
  return new PackageURL("generic", undefined, name, version, qualifiers, undefined).toString();
}
