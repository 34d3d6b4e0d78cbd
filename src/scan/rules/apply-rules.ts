import { exactness, type Rule } from "./rule.ts";
import type { Judgement } from "../judgement.ts";

/**
 * The judgements of one component as rules change them: what they cover is ignored, or patched
 * where their author says so, with the rule's reason. What is patched already stays so.
 */
export function applyRules(
  judgements: readonly Judgement[],
  rules: readonly Rule[],
  now: Date,
): readonly Judgement[] {
  const component = judgements[0]?.component;
  if (component === undefined || rules.length === 0) return judgements;
  const today = now.toISOString().slice(0, 10);
  const inForce = rules
    .filter(({ until }) => until === undefined || until > today)
    .map((rule) => ({ rule, exactness: exactness(rule, component) }))
    .flatMap(({ rule, exactness: exact }) => (exact === undefined ? [] : [{ rule, exact }]))
    .toSorted((a, b) => b.exact - a.exact)
    .map(({ rule }) => rule);
  const open = judgements.filter(({ verdict }) => verdict !== "patched");
  const isListed = (judgement: Judgement): boolean =>
    inForce.some((rule) => rule.isForListedOnly && covers(rule, judgement));
  const outside = open.find((judgement) => !isListed(judgement));
  return judgements.map((judgement) => {
    if (judgement.verdict === "patched") return judgement;
    const covering = inForce.filter((rule) => covers(rule, judgement));
    const valid = covering.find((rule) => !isVoid(rule, outside));
    if (valid !== undefined)
      return { ...judgement, verdict: valid.says, reason: reasonOf(valid, judgement) };
    const [first] = covering;
    if (first === undefined || outside === undefined) return judgement;
    const why = `the rule of ${first.by} for ${first.about.name} is void, since it doesn't list ${outside.advisory}`;
    return { ...judgement, reason: `${judgement.reason}; ${why}` };
  });
}

/** Whether a rule was written before an advisory that it should have been looked at for again. */
function isVoid(rule: Rule, outside: Judgement | undefined): boolean {
  return rule.isForListedOnly && rule.advisories !== undefined && outside !== undefined;
}

function covers({ advisories }: Rule, { advisory, aliases }: Judgement): boolean {
  return (
    advisories === undefined ||
    [advisory, ...aliases].some((id) => advisories.has(id.toUpperCase()))
  );
}

function reasonOf({ by, until, why }: Rule, { reason }: Judgement): string {
  const end = until === undefined ? "" : ` until ${until}`;
  const said = why === "" ? "without a reason" : why;
  return `by ${by}${end}: ${said} (else: ${reason})`;
}
