import { requireRepository } from "../../cluster/configuration.ts";
import { planCopy } from "../../cluster/copying/copying.ts";
import { noMarks } from "../../cluster/marks.ts";
import { createMemory } from "../../cluster/memory.ts";
import { parseName } from "../../formats/names.ts";
import { openSource } from "../../sources/open.ts";
import type { Context } from "../context.ts";
import { reportNext } from "../report.ts";
import { openWithMarks } from "../repository.ts";

/** What `copy` is asked. */
export interface CopyOptions {
  /** Sources, as configurations name them; relative to where the command runs. */
  readonly from: string;
  readonly to: string;
  /** Only says what is missing. */
  readonly dryRun: boolean;
}

/** Each pool file and statement is judged once, and asked for several times. */
const mostRemembered = 10_000;

/**
 * After it, `to` has the roster, pools and bundles of `from`, all judged by the roots that are trusted
 * here. Stopped anywhere, it goes on where it was; what is there and whole stays as it is.
 *
 * @throws Failure whatever is wrong with one of them, before anything is written; `generation/conflict`
 */
export async function copy(
  context: Context,
  names: readonly string[],
  { from, to, dryRun }: CopyOptions,
): Promise<void> {
  const bundles = names.map((name) => parseName("bundle", name));
  const repository = await requireRepository(context.directory, context.configuration);
  // What is older than was seen is told of, not refused: it doesn't take the place of what is newer.
  const cluster = await openWithMarks(context, repository, true);
  const memory = createMemory(mostRemembered);
  const [first, second] = await Promise.all([
    openSource(from, context.directory),
    openSource(to, context.directory),
  ]);
  const plan = await planCopy(
    { ...cluster, memory, source: first },
    // It may be behind: that is what it is copied to for.
    { ...cluster, marks: noMarks, memory, source: second },
    bundles,
    context.each,
  );
  const count = plan.steps.length;
  context.result({ missing: plan.missing, objects: count });
  if (count === 0) {
    context.print(`nothing to do: ${second.name} has all that ${first.name} has`);
    return;
  }
  const rows = plan.missing.map(({ what, objects }) => [what, String(objects)]);
  await context.table(["missing", "objects"], rows);
  if (dryRun) return;
  await context.confirm(`copy ${describeCount(count)} to ${second.name}?`);
  await context.each("object", plan.steps, (step) => step.carry());
  context.print(`copied ${describeCount(count)} to ${second.name}`);
  reportNext(context, `sealaunch verify --source ${to}`);
}

function describeCount(count: number): string {
  return count === 1 ? "1 object" : `${String(count)} objects`;
}
