import { PackageURL } from "packageurl-js";
import { type RuleSubject } from "./rule.ts";

/** What a package URL (https://github.com/package-url/purl-spec) is about; undefined if it is none. */
function subjectOfPurl(text: string): RuleSubject | undefined {
  if (!text.startsWith("pkg:") || text.length > 1_024) return undefined;
  try {
    const { type, namespace, name, version } = PackageURL.fromString(text);
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
