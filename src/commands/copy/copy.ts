import { requireRepository } from "../../cluster/configuration.ts";
import { planCopy } from "../../cluster/copying/copying.ts";
import { noMarks } from "../../cluster/marks.ts";
import { createMemory, mostRemembered } from "../../cluster/memory.ts";
import { parseName } from "../../formats/names.ts";
import { inParallel } from "../../host/in-parallel.ts";
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

/** Bundles or objects: each waits for the sources most of the time. */
const atOnce = 8;

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
    (what, things, act) => eachOf(context, what, [things], act),
  );
  const count = plan.phases.flat().length;
  context.result({ missing: plan.missing, objects: count, gaps: plan.gaps });
  for (const gap of plan.gaps) context.warn(`${first.name}: ${gap}`);
  if (count === 0) {
    context.print(`nothing to do: ${second.name} has all that ${first.name} has`);
    return;
  }
  const rows = plan.missing.map(({ what, objects }) => [what, String(objects)]);
  await context.table(["missing", "objects"], rows);
  if (dryRun) return;
  await context.confirm(`copy ${describeCount(count)} to ${second.name}?`);
  await eachOf(context, "object", plan.phases, (step) => step.carry());
  context.print(`copied ${describeCount(count)} to ${second.name}`);
  reportNext(context, `sealaunch verify --source ${to}`);
}

/** Does the same with each of many things, those of a group at once, and one group after the other. */
async function eachOf<T, R>(
  context: Context,
  what: string,
  groups: readonly (readonly T[])[],
  act: (thing: T) => Promise<R>,
): Promise<R[]> {
  using progress = context.progress(what, groups.flat().length);
  let begun = 0;
  const found: R[][] = [];
  for (const things of groups) {
    const some = await inParallel(atOnce, things, (thing) => {
      progress.at(++begun);
      return act(thing);
    });
    found.push(some);
  }
  return found.flat();
}

function describeCount(count: number): string {
  return count === 1 ? "1 object" : `${String(count)} objects`;
}
