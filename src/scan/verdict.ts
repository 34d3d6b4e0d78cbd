import type { Judgement, Verdict } from "./judgement.ts";
import type { Severity } from "./advisories/severity.ts";
import { type Advisory } from "./advisories/advisory.ts";
import { type AdvisoryIndex } from "./advisories/advisory-index.ts";
import { type Application, applies, stronger } from "./advisories/applies.ts";
import { applyRules } from "./rules/apply-rules.ts";
import { type Component } from "./component.ts";
import { type Rule } from "./rules/rule.ts";

interface Found {
  readonly advisory: Advisory;
  readonly application: Application;
}

/**
 * What is to be said of a component: one judgement for each advisory that is about it, or may be,
 * the worst first. An advisory that several databases have is judged once, by all that they say.
 *
 * @param rules - those that are past their day at `now` say nothing
 */
export function judge(
  component: Component,
  advisories: AdvisoryIndex,
  rules: readonly Rule[],
  now: Date,
): readonly Judgement[] {
  const byId = new Map<string, Found[]>();
  for (const advisory of advisories.about(component)) {
    if (advisories.isRejected(advisory.id)) continue;
    const application = applies(component, advisory);
    if (application.is === "no" && !application.isOwn) continue;
    const found = byId.get(advisory.id);
    if (found === undefined) byId.set(advisory.id, [{ advisory, application }]);
    else found.push({ advisory, application });
  }
  const judged = [...byId.values()].flatMap((found) => judgementOf(component, found) ?? []);
  return applyRules(judged, rules, now).toSorted(
    (a, b) =>
      (b.severity.score ?? 0) - (a.severity.score ?? 0) || (a.advisory < b.advisory ? -1 : 1),
  );
}

function judgementOf(component: Component, found: readonly Found[]): Judgement | undefined {
  const application = together(found.map((one) => one.application));
  if (application === undefined) return undefined;
  const all = found.map(({ advisory }) => advisory);
  const first = found.find((one) => one.application.is === application.is)?.advisory ?? all[0];
  if (first === undefined) return undefined;
  const ids = [...new Set(all.flatMap(({ id, aliases }) => [id, ...aliases]))];
  const mended = component.fixes.find((fix) => ids.includes(fix));
  return {
    component,
    advisory: first.id,
    aliases: ids.filter((id) => id !== first.id),
    summary:
      first.summary === ""
        ? (all.find(({ summary }) => summary !== "")?.summary ?? "")
        : first.summary,
    severity: severityOf(first, all),
    verdict: mended === undefined ? verdictOf(application) : "patched",
    reason: mended === undefined ? application.because : mending(component, mended),
    fixedIn: application.fixedIn,
    disputed: all.some(({ disputed }) => disputed),
  };
}

/** What several databases say together: where one denies what another says, it is only possible. */
function together(said: readonly Application[]): Application | undefined {
  const most = said.reduce(stronger);
  const denial = said.find(({ is, isOwn }) => isOwn && is === "no");
  if (most.is === "no") return undefined;
  if (denial === undefined) return most;
  // Who knows the component counts for more than who knows a name.
  if (!most.isOwn) return undefined;
  return {
    ...most,
    is: "maybe",
    because: `${most.because}; but another database says that it isn't affected`,
  };
}

function verdictOf({ is, isUnversioned }: Application): Verdict {
  if (is === "yes") return "vulnerable";
  return isUnversioned ? "unknown" : "possible";
}

/** The severity of the advisory that decided; where it has none, another's. */
function severityOf(first: Advisory, all: readonly Advisory[]): Severity {
  const scored = [first, ...all].find(({ severity }) => severity.score !== undefined);
  const rated = [first, ...all].find(({ severity }) => severity.rating !== "unknown");
  const { score, rating } = (scored ?? rated ?? first).severity;
  // A field without a value isn't there in what the index has kept.
  return { score, rating };
}

/** Which patch mends it, else who says that it is mended. */
function mending({ mendedBy, from }: Component, id: string): string {
  const patch = mendedBy?.get(id);
  if (patch !== undefined) return `patch ${patch}`;
  return from === "publisher"
    ? `its publisher says that ${id} is mended`
    : `its derivation says that ${id} is mended`;
}
