import type { Finding } from "../../cluster/checking.ts";
import type { Additions } from "../../cluster/verifying/dates.ts";
import { Failure } from "../../failure.ts";
import type { Context } from "../context.ts";

/**
 * The findings, with what was found besides of the same objects; and of others, such as a bundle
 * that is gone, unless only some were asked for.
 */
export function withAdditions(
  findings: readonly Finding[],
  additions: readonly Additions[],
  notes: Additions,
  onlyThese: boolean,
): Finding[] {
  const known = new Set(findings.map(({ object }) => object));
  const others = new Set([...additions, notes].flatMap((added) => [...added.keys()]));
  const all = [
    ...findings,
    ...[...others]
      .filter((object) => !onlyThese && !known.has(object))
      .map((object) => ({ object, generation: "-", failures: [] })),
  ];
  return all.map((finding) => ({
    ...finding,
    failures: [
      ...finding.failures,
      ...additions.flatMap((added) => added.get(finding.object) ?? []),
    ],
    notes: notes.get(finding.object) ?? [],
  }));
}

/** Prints the findings, and ends with the first failure. Notes end nothing. */
export async function reportFindings(
  context: Context,
  findings: readonly Finding[],
): Promise<void> {
  await context.table(["object", "generation", "", "what"], findings.flatMap(rowsOf));
  const describe = ({ code, message, hint }: Failure): unknown => ({ code, message, hint });
  context.result(
    findings.map(({ object, generation, failures, notes = [] }) => ({
      object,
      generation,
      failures: failures.map(describe),
      notes: notes.map(describe),
    })),
  );
  const failures = findings.flatMap((finding) => finding.failures);
  // What is wrong today comes before what will be.
  const first = failures.find(({ code }) => !code.startsWith("date/")) ?? failures[0];
  if (first === undefined) return;
  const others = failures.length === 1 ? "" : ` (and ${String(failures.length - 1)} more above)`;
  throw new Failure(first.code, `${first.message}${others}`, first.hint);
}

function rowsOf({ object, generation, failures, notes = [] }: Finding): string[][] {
  const good =
    failures.length === 0 && notes.length === 0 ? [[object, generation, "good", ""]] : [];
  return [
    ...good,
    ...failures.map(({ message }) => [object, generation, "BAD", message]),
    ...notes.map(({ message }) => [object, generation, "note", message]),
  ];
}
