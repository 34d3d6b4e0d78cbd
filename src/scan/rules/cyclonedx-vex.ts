import { fields, list, oneLine, text } from "../advisories/json.ts";
import { subjectOf } from "../advisories/purl.ts";
import { type Rule, type RuleSubject } from "./rule.ts";
import { type RuleFile } from "./vulnix-rules.ts";

const says: Readonly<Record<string, Rule["says"]>> = {
  not_affected: "ignored",
  false_positive: "ignored",
  resolved: "patched",
  resolved_with_pedigree: "patched",
};

/**
 * What the analyses in a CycloneDX document (https://cyclonedx.org/docs/1.6/json/#vulnerabilities)
 * say is not affected, a false positive or resolved, as rules. A vulnerability without `affects` is
 * about the document's own component.
 */
export function readCycloneDxVex(file: string, document: unknown): RuleFile {
  const { components, metadata, vulnerabilities } = fields(document);
  const own = fields(fields(metadata)["component"]);
  const known = new Map<string, RuleSubject>();
  for (const component of [own, ...list(components).map(fields)]) {
    const reference = text(component["bom-ref"], 1_024);
    const subject = subjectOf(text(component["purl"], 1_024) ?? "") ?? namedSubject(component);
    if (reference !== undefined && subject !== undefined) known.set(reference, subject);
  }
  const by = `${file}${authorOf(fields(metadata))}`;
  const warnings: string[] = [];
  const rules = list(vulnerabilities).flatMap((value): readonly Rule[] => {
    const { id, analysis, affects } = fields(value);
    const { state, justification, detail } = fields(analysis);
    const outcome = Object.hasOwn(says, String(state)) ? says[String(state)] : undefined;
    const name = text(id, 128);
    if (name === undefined || outcome === undefined) return [];
    const references = list(affects).flatMap((one) => text(fields(one)["ref"], 1_024) ?? []);
    const all = references.length > 0 ? references : [text(own["bom-ref"], 1_024) ?? ""];
    return all.flatMap((reference) => {
      // urn:cdx:SERIAL/VERSION#REF is a component of a document, whichever.
      const about = known.get(reference.replace(/^urn:cdx:[^#]*#/, "")) ?? subjectOf(reference);
      if (about === undefined) {
        warnings.push(
          `${name} in ${JSON.stringify(file)} affects ${JSON.stringify(reference)}, which is no component there`,
        );
        return [];
      }
      const why = [justification, detail].map(oneLine).filter((line) => line !== "");
      return [
        {
          by,
          about,
          advisories: new Set([name.toUpperCase()]),
          until: undefined,
          why: why.join(": "),
          says: outcome,
          isForListedOnly: false,
        },
      ];
    });
  });
  return { rules, warnings };
}

function namedSubject(component: Readonly<Record<string, unknown>>): RuleSubject | undefined {
  const name = text(component["name"], 256);
  if (name === undefined) return undefined;
  return { name, version: text(component["version"], 128), ecosystem: undefined, path: undefined };
}

function authorOf(metadata: Readonly<Record<string, unknown>>): string {
  const named = [...list(metadata["authors"]), metadata["supplier"], metadata["manufacturer"]];
  const name = named.map((one) => oneLine(fields(one)["name"])).find((one) => one !== "");
  return name === undefined ? "" : ` (${name})`;
}
