import { join } from "node:path";
import { Failure } from "../../failure.ts";
import { makeDirectory, readRegularFile, removeFile, writeFileAtomic } from "../files.ts";
import { takeLock } from "../locking.ts";
import { reloadUnits } from "./jobs.ts";

// What replaces a unit may be cut off at any moment: what it replaces lies aside, durably, until its
// successor is known to run.

const unitDirectory = "/etc/systemd/system";
const maxUnitSize = 1024 * 1024;

/** Where a unit's file is, and where what it replaces lies. */
export interface UnitPlace {
  readonly unit: string;
  readonly file: string;
  readonly kept: string;
  /** The node's directory for what it keeps. */
  readonly state: string;
}

/** A replacement of a unit's file. */
export interface Replacement extends UnitPlace {
  /** What the file held; undefined if there was none. */
  readonly before: string | undefined;
}

export function placeOf(unit: string, state: string): UnitPlace {
  return { unit, file: join(unitDirectory, unit), kept: join(state, "replaced", unit), state };
}

/** What a unit is replaced from. */
export interface Before {
  /** Undefined if there was no unit. */
  readonly before: string | undefined;
  /** An earlier replacement was cut off: what is there now, and runs, is half of it. */
  readonly isCutOff: boolean;
}

/**
 * The unit's file as it is here, or, where an earlier replacement was cut off, as it was before that.
 *
 * @throws Failure `source/hostile`, `source/unreadable`
 */
export async function readBefore({ file, kept }: UnitPlace): Promise<Before> {
  const aside = await readRegularFile(kept, maxUnitSize);
  const bytes = aside ?? (await readRegularFile(file, maxUnitSize));
  const before = bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  return { before, isCutOff: aside !== undefined };
}

/**
 * Nobody else replaces the unit until it is disposed of, or this process ends.
 *
 * @throws Failure `unit/busy`, `write/refused`, `program/missing`
 */
export async function beginReplacing({ unit, state }: UnitPlace): Promise<AsyncDisposable> {
  const locks = join(state, "replacing");
  await makeDirectory(locks, 0o755);
  const lock = await takeLock(join(locks, unit));
  if (lock !== undefined) return lock;
  throw new Failure(
    "unit/busy",
    `${unit} is being put in place by another 'sealaunch unit --install'`,
  );
}

/** After it, systemd goes by that text. @throws Failure `write/refused`, `systemd/unavailable` */
export async function putInPlace(
  { file, kept, state, before }: Replacement,
  text: string,
): Promise<void> {
  if (before !== undefined) {
    await makeDirectory(join(state, "replaced"), 0o755);
    await writeFileAtomic(kept, new TextEncoder().encode(before), 0o644);
  }
  await writeFileAtomic(file, new TextEncoder().encode(text), 0o644);
  await reloadUnits();
}

/** After it, systemd goes by what was there before. @throws Failure `write/refused`, `systemd/unavailable` */
export async function putBack(replacement: Replacement): Promise<void> {
  const { file, before } = replacement;
  if (before === undefined) await removeFile(file);
  else await writeFileAtomic(file, new TextEncoder().encode(before), 0o644);
  await reloadUnits();
  await forgetBefore(replacement);
}

/** After it, what was there before is gone. @throws Failure `write/refused` */
export function forgetBefore({ kept }: UnitPlace): Promise<void> {
  return removeFile(kept);
}
