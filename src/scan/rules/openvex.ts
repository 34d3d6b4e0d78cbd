import { fields, list, oneLine, text, texts } from "../advisories/json.ts";
import { subjectOf } from "../advisories/purl.ts";
import { type Rule, type RuleSubject } from "./rule.ts";
import { type RuleFile } from "./vulnix-rules.ts";

const says: Readonly<Record<string, Rule["says"]>> = { not_affected: "ignored", fixed: "patched" };

/**
 * What an OpenVEX document (https://github.com/openvex/spec, 0.2) says is not affected or fixed, as
 * rules by its author. Of several statements for one vulnerability and product the last counts.
 * Statements that say it is affected, or that somebody looks into it, change no verdict.
 */
export function readOpenVex(file: string, document: unknown): RuleFile {
  const { author, statements, timestamp } = fields(document);
  const by = `${file} (${oneLine(author) || "no author"})`;
  const warnings: string[] = [];
  const latest = new Map<string, { readonly at: string; readonly rule: Rule | undefined }>();
  for (const [number, value] of list(statements).entries()) {
    const statement = fields(value);
    const place = `statement ${String(number + 1)} of ${JSON.stringify(file)}`;
    const ids = idsOf(statement["vulnerability"]);
    const subjects = list(statement["products"]).flatMap(subjectsOf);
    if (ids.length === 0) warnings.push(`${place} names no vulnerability`);
    if (subjects.length === 0)
      warnings.push(`${place} names no product by package URL or store path`);
    const at = text(statement["timestamp"]) ?? text(timestamp) ?? "";
    const status = text(statement["status"]) ?? "";
    const outcome = Object.hasOwn(says, status) ? says[status] : undefined;
    const why = [statement["justification"], statement["impact_statement"]].map(oneLine);
    for (const about of subjects) {
      const key = JSON.stringify([about, ids]);
      if ((latest.get(key)?.at ?? "") > at) continue;
      latest.set(key, { at, rule: outcome && ruleOf(by, about, ids, outcome, why) });
    }
  }
  return { rules: [...latest.values()].flatMap(({ rule }) => rule ?? []), warnings };
}

function ruleOf(
  by: string,
  about: RuleSubject,
  ids: readonly string[],
  outcome: Rule["says"],
  why: readonly string[],
): Rule {
  return {
    by,
    about,
    advisories: new Set(ids.map((id) => id.toUpperCase())),
    until: undefined,
    why: why.filter((line) => line !== "").join(": "),
    says: outcome,
    isForListedOnly: false,
  };
}

/** Before 0.2 a vulnerability was its bare id. */
function idsOf(vulnerability: unknown): readonly string[] {
  const { name, aliases } = fields(vulnerability);
  return [vulnerability, name].flatMap((one) => text(one, 128) ?? []).concat(texts(aliases));
}

/** The product, or those parts of it that the statement is about. */
function subjectsOf(product: unknown): readonly RuleSubject[] {
  const parts = list(fields(product)["subcomponents"]);
  return (parts.length === 0 ? [product] : parts).flatMap((one) => {
    const { "@id": id, identifiers } = fields(one);
    const known = [one, id, fields(identifiers)["purl"]].flatMap(
      (value) => text(value, 1_024) ?? [],
    );
    return known.map(subjectOf).find((subject) => subject !== undefined) ?? [];
  });
}
