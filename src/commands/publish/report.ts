import type { Survey } from "../../caches/survey.ts";
import type { ValidPath } from "../../host/nix/path-info.ts";
import type { Context } from "../context.ts";

/** Tells what of a closure isn't there. */
export async function reportMissing(
  context: Context,
  found: Survey,
  unrecorded: number,
): Promise<void> {
  const missing = found.missing.toSorted((one, other) =>
    one.storePath < other.storePath ? -1 : 1,
  );
  context.result({
    missing: missing.map(({ storePath, narSize }) => ({ storePath, narSize })),
    unsigned: found.unsigned.map(({ storePath }) => storePath).sort(),
    elsewhere: found.elsewhere.length,
    different: found.different.map(({ storePath }) => storePath).sort(),
    unrecorded,
  });
  if (missing.length === 0 && found.unsigned.length === 0 && unrecorded === 0) {
    context.print("nothing to do: the cache has all of it");
    return;
  }
  const rows = missing.map(({ storePath, narSize }) => [storePath, String(narSize)]);
  const others = found.unsigned.map(({ storePath }) => [storePath, "only a signature"]);
  if (rows.length + others.length > 0)
    await context.table(["missing", "bytes, unpacked"], [...rows, ...others]);
  if (unrecorded > 0) context.print(`there without a record: ${describeCount(unrecorded)}`);
}

/** Tells what was done for a closure. */
export function reportPublished(
  context: Context,
  cache: string,
  closure: readonly ValidPath[],
  { missing, unsigned, elsewhere }: Survey,
  sentBytes: number,
  unrecorded: number,
): void {
  if (unrecorded > 0)
    context.print(`recorded ${describeCount(unrecorded)} that the cache had without a record`);
  if (missing.length === 0 && unsigned.length === 0) {
    if (unrecorded > 0) return;
    context.print(`nothing to do: ${cache} has ${describeCount(closure.length)}`);
    return;
  }
  const sent = `${(sentBytes / 1e6).toFixed(1)} MB sent`;
  context.print(`published ${describeCount(missing.length)} to ${cache}, ${sent}`);
  if (unsigned.length > 0) context.print(`signed ${describeCount(unsigned.length)} once more`);
  if (elsewhere.length > 0)
    context.print(`left out ${describeCount(elsewhere.length)} that an upstream cache has`);
}

export function describeCount(count: number): string {
  return count === 1 ? "1 store path" : `${String(count)} store paths`;
}
