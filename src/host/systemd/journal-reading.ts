import { findProgram, run } from "../process.ts";

/** Entries of a journal, field by field. */
export type JournalEntry = Readonly<Record<string, string>>;

const answersWithinMs = 20_000;

/**
 * The newest entries that have all of those fields, the newest first; none if the journal can't be read.
 *
 * @param most - so many at most
 */
export async function readJournal(
  fields: Readonly<Record<string, string>>,
  most: number,
): Promise<JournalEntry[]> {
  const journalctl = await findProgram("journalctl");
  const { exitCode, stdout } = await run(
    journalctl,
    [
      ...["--no-pager", "--output=json", "--reverse", `--lines=${String(most)}`],
      ...Object.entries(fields).map(([name, value]) => `${name}=${value}`),
    ],
    { timeoutMs: answersWithinMs },
  );
  if (exitCode !== 0) return [];
  const lines = new TextDecoder().decode(stdout).split("\n");
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const entry = JSON.parse(line) as Record<string, unknown>;
      // What is no text, and what an entry has twice, is nothing that we wrote.
      const texts = Object.entries(entry).filter(([, value]) => typeof value === "string");
      return Object.fromEntries(texts) as JournalEntry;
    });
}
