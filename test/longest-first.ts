import { BaseSequencer, type TestSpecification } from "vitest/node";

// Vitest takes a large file for a long one where it has run none so far. These are longer than they look:
// they wait, mostly for what has its time.
const longest = [
  "test/machines/changes-spread.test.ts",
  "test/machines/deploy-pacemaker.test.ts",
  "test/machines/dns-example.test.ts",
  "test/machines/deploy-ten.test.ts",
  "test/machines/pacemaker.test.ts",
  "test/machines/canary.test.ts",
  "test/root/launch/cache-faults.test.ts",
  "test/root/canary.test.ts",
];

/** Begins with the files that take longest, so that at the end of a project none runs alone. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = longest.findIndex((path) => moduleId.endsWith(`/${path}`));
      return index === -1 ? longest.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
