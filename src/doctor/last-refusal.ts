import { priority } from "../host/systemd/journal.ts";
import { readJournal } from "../host/systemd/journal-reading.ts";

/** Why the agent has last refused a start, in its own words. */
export interface Refusal {
  readonly at: string;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** The last time that the agent has refused a start of a unit; undefined if the journal has none. */
export async function lastRefusal(unit: string): Promise<Refusal | undefined> {
  const entries = await readJournal(
    // Whoever isn't root may say of himself what he likes.
    {
      OBJECT_SYSTEMD_UNIT: unit,
      SYSLOG_IDENTIFIER: "sealaunch",
      PRIORITY: priority.error,
      _UID: "0",
    },
    10,
  );
  const found = entries.find(({ SEALAUNCH_HINT: hint }) => hint !== undefined);
  if (found === undefined) return undefined;
  const at = new Date(Number(found["__REALTIME_TIMESTAMP"] ?? 0) / 1000).toISOString();
  return {
    at,
    code: found["SEALAUNCH_CODE"] ?? "",
    message: (found["MESSAGE"] ?? "").replace(/^error: /u, ""),
    hint: found["SEALAUNCH_HINT"] ?? "",
  };
}
