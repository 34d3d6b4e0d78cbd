import { printable } from "../../printable.ts";
import { createResponder, findProgram, run } from "../process.ts";

/** How important an entry is (syslog(3)). */
export const priority = { error: "3", warning: "4", notice: "5", info: "6" } as const;

type Send = (entry: string) => Promise<unknown>;

let send: Promise<Send> | undefined;

/** Sends datagrams to the journal's socket (systemd.io, Native Journal Protocol), which Node can't. */
function sendByPerl(perl: string): Send {
  return createResponder(`exec ${perl} -e '
    $| = 1;
    $/ = "\\n\\n";
    socket(J, 1, 2, 0) or exit 1;
    my $journal = pack("Sa*x", 1, "/run/systemd/journal/socket");
    while (my $entry = <STDIN>) {
      chomp $entry;
      send(J, "$entry\\n", 0, $journal);
      print "\\n";
    }'`);
}

/** logger(1) takes one entry on its standard input: where there is no perl. */
function sendByLogger(logger: string): Send {
  return (entry) =>
    run(logger, ["--journald"], { input: new TextEncoder().encode(entry), timeoutMs: 10_000 });
}

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
  send ??= findProgram("perl").then(sendByPerl, async () =>
    sendByLogger(await findProgram("logger")),
  );
  const lines = Object.entries(fields).map(([name, value]) => `${name}=${printable(value)}\n`);
  await (
    await send
  )(`${lines.join("")}\n`);
}
