import type { Failure } from "../failure.ts";
import { describeGeneration } from "../trust/statement.ts";
import type { OnChange } from "../service/on-change.ts";
import { priority, writeJournal } from "../host/systemd/journal.ts";
import type { Prepared } from "./start.ts";

// What is said of a start is said where its owner looks: among the unit's own entries.

type Fields = Readonly<Record<string, string>>;

function say(unit: string, invocation: string, fields: Fields): Promise<void> {
  return writeJournal({
    SYSLOG_IDENTIFIER: "sealaunch",
    OBJECT_SYSTEMD_UNIT: unit,
    SEALAUNCH_INVOCATION: invocation,
    ...fields,
  }).catch(() => undefined);
}

/**
 * Writes one audit line for each bundle that was opened, and each warning. Where a mirror was read, each
 * line's SEALAUNCH_MIRRORED is when sync has last brought that up to date, as RFC 3339.
 */
export async function recordOpening({
  decision: { unit, invocation, bundles, credentials },
  mirroredAt,
  warnings,
}: Pick<Prepared, "decision" | "mirroredAt" | "warnings">): Promise<void> {
  for (const { code, message } of warnings) {
    await say(unit, invocation, {
      MESSAGE: `warning: ${message}`,
      PRIORITY: priority.warning,
      SEALAUNCH_CODE: code,
    });
  }
  for (const { bundle, series, generation, statement, signers } of bundles) {
    const number = describeGeneration({ series, generation });
    await say(unit, invocation, {
      MESSAGE: `opened bundle ${bundle} ${number}, signed by ${signers.join(", ")}, for ${unit}: ${credentials.join(", ")}`,
      PRIORITY: priority.info,
      SEALAUNCH_BUNDLE: bundle,
      SEALAUNCH_GENERATION: number,
      SEALAUNCH_SIGNER: signers.join(" "),
      SEALAUNCH_STATEMENT: statement,
      ...(mirroredAt === undefined ? {} : { SEALAUNCH_MIRRORED: mirroredAt }),
    });
  }
}

/** Writes that a start waits for something that may still come. */
export function recordWaiting(unit: string, invocation: string, failure: Failure): Promise<void> {
  return say(unit, invocation, {
    MESSAGE: `waiting: ${failure.message}`,
    PRIORITY: priority.notice,
    SEALAUNCH_CODE: failure.code,
  });
}

/** Writes why a start was refused; `times` in a row, this one included, for the same reason. */
export async function recordRefusal(
  unit: string,
  invocation: string,
  failure: Failure,
  times: number,
): Promise<void> {
  const again = times === 1 ? "" : ` (${String(times)} times in a row)`;
  const fields = { PRIORITY: priority.error, SEALAUNCH_CODE: failure.code };
  await say(unit, invocation, {
    ...fields,
    MESSAGE: `error: ${failure.message}${again}`,
    SEALAUNCH_HINT: failure.hint,
    SEALAUNCH_TIMES: String(times),
  });
  if (times === 1) await say(unit, invocation, { ...fields, MESSAGE: `hint: ${failure.hint}` });
}

/** Writes that a running unit is restarted or reloaded, and for which generations. */
export function recordRenewal(
  unit: string,
  invocation: string,
  how: OnChange["how"],
  change: string,
): Promise<void> {
  const doing = how === "restart" ? "restarting" : "reloading";
  return say(unit, invocation, {
    MESSAGE: `${doing} ${unit}: its values have changed, ${change}`,
    PRIORITY: priority.notice,
  });
}

/** Writes that a running unit goes on with what it has, and why. */
export function recordLeftRunning(
  unit: string,
  invocation: string,
  failure: Failure,
): Promise<void> {
  return say(unit, invocation, {
    MESSAGE: `warning: ${unit} runs on without newer values: ${failure.message}; ${failure.hint}`,
    PRIORITY: priority.warning,
    SEALAUNCH_CODE: failure.code,
  });
}
