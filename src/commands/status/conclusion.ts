import type { Running } from "../../doctor/running.ts";
import { Failure } from "../../failure.ts";
import { describeGeneration } from "../../trust/statement.ts";

/**
 * Ends as programs are to see it: what somebody has to mend comes before what a restart does.
 *
 * @throws Failure as `status`
 */
export function conclude(running: readonly Running[]): void {
  const bundles = running.flatMap((service) =>
    service.bundles.map((bundle) => ({ ...bundle, unit: service.unit })),
  );
  const unverified = bundles.find(({ newest }) => newest instanceof Failure)?.newest;
  if (unverified instanceof Failure) throw unverified;
  const ended = bundles.find(({ objections }) => objections?.hasNoSuccessor === true);
  if (ended !== undefined) {
    throw new Failure(
      "bundle/below-minimum",
      `${ended.unit} has bundle ${ended.bundle} ${describeGeneration(ended)}, and the roster puts that and all others out of use`,
    );
  }
  const owed = bundles.find(({ objections }) => (objections?.unreplaced.length ?? 0) > 0);
  const names = owed?.objections?.unreplaced ?? [];
  if (owed !== undefined) {
    throw new Failure(
      "value/owed",
      `${owed.unit} has ${names.join(", ")} of ${owed.bundle}, which somebody could read who was shut out since`,
      `make new values where they are used, then: sealaunch seal ${owed.bundle} ${names.join(" ")}`,
    );
  }
  const older = bundles.filter(({ isBehind }) => isBehind);
  const behind = [
    ...new Set(older.filter(({ path }) => path === undefined).map(({ unit }) => unit)),
  ];
  const [pinned] = older.filter(({ path }) => path !== undefined);
  if (behind.length === 0 && pinned !== undefined) {
    throw new Failure(
      "unit/behind",
      `${pinned.unit} names ${pinned.path ?? ""}, which has an older bundle ${pinned.bundle} than the newest`,
      `sealaunch copy ${pinned.bundle} --from dir:. --to nix: in the repository, and let the unit name that path`,
    );
  }
  if (behind.length === 0) return;
  throw new Failure(
    "unit/behind",
    `${behind.join(", ")} ${behind.length === 1 ? "has" : "have"} older secrets than the newest`,
  );
}
