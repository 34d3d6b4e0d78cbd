import { Failure } from "../../failure.ts";
import type { Source } from "../../sources/source.ts";
import { compareMarks, maxStep } from "../../trust/marks.ts";
import { describeGeneration } from "../../trust/statement.ts";
import type { Additions } from "./dates.ts";
import { numberedIn, placesIn, type Place } from "./numbered.ts";

/**
 * The objects whose newest generation is too far above the one before it in the source; since a
 * revision, those of which any is. Where old generations were taken away, the first can't be judged.
 *
 * @param only - the bundles that are meant, beside the roster; every object if undefined
 * @throws Failure `source/…`, `git/failed`
 */
export async function checkSteps(
  source: Source,
  before: Source | undefined,
  only?: readonly string[],
): Promise<Additions> {
  const found: Additions = new Map();
  for (const { object, folder } of await numberedIn(source, only)) {
    const places = await placesIn(source, folder);
    const known = before === undefined ? places.at(-2) : (await placesIn(before, folder)).at(-1);
    // With nothing before it, an object begins at 1; without a revision nothing tells that it does.
    if (known === undefined && before === undefined) continue;
    const failures = leapsAfter(known ?? { series: 0, generation: 0 }, places, object);
    if (failures.length > 0) found.set(object, failures);
  }
  return found;
}

function leapsAfter(known: Place, places: readonly Place[], object: string): Failure[] {
  let last = known;
  return places.flatMap((place) => {
    if (compareMarks(place, known) <= 0) return [];
    const from = last.series === place.series ? last.generation : 0;
    last = place;
    if (place.generation - from <= maxStep) return [];
    return new Failure(
      "generation/leap",
      `${object} goes from ${String(from)} to ${describeGeneration(place)}, and a step is ${String(maxStep)} at most`,
    );
  });
}
