import { Failure } from "../../failure.ts";
import { storePathOf } from "../../service/store-path.ts";
import { describeGeneration } from "../../trust/statement.ts";
import type { Context } from "../context.ts";
import type { ReadyBundle } from "./readiness.ts";
import type { Deployed, Difference, Release } from "./submission.ts";

/** What came of a release at one place, or would. */
type Told = Omit<Deployed, "state"> & {
  readonly state: Deployed["state"] | "would change" | "could not start";
};

/** What the release is, for programs. */
function describe({ unit, storePaths }: Release, bundles: readonly ReadyBundle[]): object {
  return { unit, storePaths, bundles };
}

/** Tells what came of a release. @throws Failure the first failure of a place */
export async function reportDeployed(
  context: Context,
  file: string,
  release: Release,
  bundles: readonly ReadyBundle[],
  deployed: readonly Deployed[],
): Promise<void> {
  await context.table(
    ["node", "host", "", "why"],
    deployed.map(({ node, host, state, failure }) => [node, host, state, failure?.message ?? ""]),
  );
  context.result({ ...describe(release, bundles), nodes: deployed.map(plain) });
  conclude(file, deployed);
}

/**
 * Tells what would change where, each difference once with the nodes on which it is the same.
 *
 * @throws Failure why a place couldn't start it
 */
export async function reportDifference(
  context: Context,
  file: string,
  release: Release,
  bundles: readonly ReadyBundle[],
  differences: readonly Difference[],
): Promise<void> {
  for (const [diff, places] of Map.groupBy(differences, (one) => one.diff)) {
    if (diff === "") continue;
    context.print(`${places.map(({ node }) => node).join(", ")}:`);
    for (const line of diff.trimEnd().split("\n").slice(1)) context.print(line);
  }
  const told = differences.map(toldOf);
  await context.table(
    ["node", "host", "", "runs", "bundles", "why"],
    differences.map(({ node, host, now }, index) => [
      ...[node, host, told[index]?.state ?? ""],
      change(closures(now?.programs), closures([release.storePaths[0] ?? ""])),
      change(generations(now?.bundles), generations(bundles)),
      told[index]?.failure?.message ?? "",
    ]),
  );
  const nodes = differences.map(({ diff, now }, index) => ({
    ...(told[index] === undefined ? {} : plain(told[index])),
    diff,
    now,
  }));
  context.result({ ...describe(release, bundles), nodes });
  conclude(file, told);
}

function toldOf({ node, host, diff, lack, failure }: Difference): Told {
  const state =
    failure?.code === "ssh/failed" || failure?.code === "scheduler/unavailable"
      ? "not reached"
      : failure !== undefined || lack !== undefined
        ? "could not start"
        : diff === ""
          ? "ran already"
          : "would change";
  return { node, host, state, failure: failure ?? lack };
}

function plain({ failure, ...told }: Told): object {
  return failure === undefined ? told : { ...told, code: failure.code, why: failure.message };
}

function change(now: string, next: string): string {
  return now === next || now === "" ? next : `${now} → ${next}`;
}

/** By their names and enough of their hashes to tell them apart. */
function closures(programs: readonly string[] = []): string {
  const paths = programs.map((program) => storePathOf(program) ?? program);
  return paths.map((path) => path.replace(/^\/nix\/store\/(.{8}).{24}/u, "$1…")).join(", ");
}

function generations(bundles: readonly ReadyBundle[] = []): string {
  return bundles.map(({ bundle, ...place }) => `${bundle} ${describeGeneration(place)}`).join(", ");
}

function conclude(file: string, told: readonly Told[]): void {
  const failed = told.filter(({ failure }) => failure !== undefined);
  const [first] = failed;
  if (first?.failure === undefined) return;
  const left = told.filter(({ state }) => state === "not tried").length;
  throw new Failure(
    first.failure.code,
    `${file} on ${failed.map(({ node }) => node).join(", ")}: ${first.failure.message}${left === 0 ? "" : `; ${String(left)} more were left as they are`}`,
    first.failure.hint,
  );
}
