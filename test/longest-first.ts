import { BaseSequencer, type TestSpecification } from "vitest/node";

// Vitest takes a large file for a long one where it has run none so far. These take more than half a minute each,
// some mostly waiting for what has its time, some keeping the processors busy: mixed.
const longest = [
  "machines/changes-spread",
  "machines/deploy-ten",
  "root/launch/cache-faults",
  "machines/dns-example",
  "machines/deploy-pacemaker",
  "machines/pacemaker",
  "root/canary",
  "root/deb",
  "machines/doctor",
  "machines/deploy-built",
  "machines/deb",
  "machines/changes",
  "root/nix-daemon",
  "root/launch/sealed-path",
  "caches/publish-progress",
  "caches/publish-refused",
  "commands/scan-update",
  "commands/deploy-schedulers",
  "commands/scan-facts",
].map((name) => `/test/${name}.test.ts`);

/** Begins with the files that take longest, so that none runs alone at the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = longest.findIndex((path) => moduleId.endsWith(path));
      return index === -1 ? longest.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
