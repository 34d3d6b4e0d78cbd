import { printable } from "../printable.ts";
import { findProgram, run } from "./process.ts";

/** How important an entry is (syslog(3)). */
export const priority = { error: "3", warning: "4", notice: "5", info: "6" } as const;

/**
 * After it, the journal has an entry with these fields, where root may write to it: a journal that
 * can't be written to stops nothing.
 *
 * With `OBJECT_SYSTEMD_UNIT` the entry is shown among that unit's own, by `journalctl -u` and
 * `systemctl status` (systemd.journal-fields(7)).
 *
 * @param fields - text without secrets; names are of A-Z, 0-9 and `_`
 */
export async function writeJournal(fields: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(fields).map(([name, value]) => `${name}=${printable(value)}\n`);
  const input = new TextEncoder().encode(lines.join(""));
  await run(await findProgram("logger"), ["--journald"], { input, timeoutMs: 10_000 });
}
