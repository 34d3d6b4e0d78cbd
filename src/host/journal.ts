import { printable } from "../printable.ts";
import { createResponder, findProgram, type Responder } from "./process.ts";

/** How important an entry is (syslog(3)). */
export const priority = { error: "3", warning: "4", notice: "5", info: "6" } as const;

// logger(1) takes one entry on standard input. The shell that starts it hands over the lines up to an
// empty one.
const script = (logger: string): string => `
while IFS= read -r line; do
  {
    while [ -n "$line" ]; do
      printf '%s\\n' "$line"
      IFS= read -r line || break
    done
  } | ${logger} --journald >/dev/null
  echo
done`;

let log: Responder | undefined;

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
  log ??= createResponder(script(await findProgram("logger")));
  const lines = Object.entries(fields).map(([name, value]) => `${name}=${printable(value)}\n`);
  await log(`${lines.join("")}\n`);
}
