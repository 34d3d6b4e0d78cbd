import { Failure } from "../../failure.ts";
import { bundlesFolder } from "../../formats/paths.ts";
import { maxMembersSize } from "../../formats/records/pool.ts";
import type { Revision, Source } from "../../sources/source.ts";
import type { Additions } from "./dates.ts";
import { compareMarks } from "../../trust/marks.ts";
import { numberedIn, placesIn, type Numbered } from "./numbered.ts";

/**
 * What was rewritten since a revision: a generation that was there then and has other bytes now,
 * and an object whose newest generation is lower than it was. Headers, entries and signatures may
 * change; what they are good for is told by judging them.
 *
 * @param only - the bundles that are meant, beside the roster; every object if undefined
 * @throws Failure `source/…`, `git/failed`
 */
export async function checkUnchanged(
  source: Source,
  before: Revision,
  only?: readonly string[],
): Promise<Additions> {
  const found: Additions = new Map();
  for (const numbered of await numberedIn(before, only)) {
    const failures = await changesOf(source, before, numbered);
    if (failures.length > 0) found.set(numbered.object, failures);
  }
  return found;
}

async function changesOf(
  source: Source,
  before: Revision,
  { object, folder, files }: Numbered,
): Promise<Failure[]> {
  const [then, now] = await Promise.all([placesIn(before, folder), placesIn(source, folder)]);
  const failures: Failure[] = [];
  const [highest, newest] = [then.at(-1), now.at(-1)];
  if (highest !== undefined && (newest === undefined || compareMarks(newest, highest) < 0)) {
    failures.push(
      new Failure(
        "history/rewritten",
        `${object} was at ${shown(highest.name)} in ${before.name}, and is ${newest === undefined ? "gone" : `at ${shown(newest.name)}`}`,
      ),
    );
  }
  const kept = then.filter(({ name }) => now.some((one) => one.name === name));
  for (const { name: generation } of kept) {
    for (const file of files) {
      const path = `${folder}/${generation}/${file}`;
      const bytes = await source.read(path, maxMembersSize);
      if (bytes !== undefined && before.had(path, bytes)) continue;
      failures.push(
        new Failure(
          "history/rewritten",
          `${object} ${shown(generation)} has another ${file} than in ${before.name}`,
          folder.startsWith(bundlesFolder)
            ? "if two branches have sealed it, join them: sealaunch seal NAME --merge REV; else restore that file from the revision"
            : "restore that file from the revision, then make the change anew as a higher generation",
        ),
      );
    }
  }
  return failures;
}

const shown = (generation: string): string => generation.replace(/^0\./u, "");
