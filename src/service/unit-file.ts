import { Failure } from "../failure.ts";

// systemd's own reading of a unit file (systemd.syntax(7)): every line but comments, joined where it
// ends in a backslash, blanks around names and values gone, a value otherwise as it stands.

/** One line of a unit file that says something. */
export interface Assignment {
  readonly section: string;
  readonly key: string;
  /** As it stands, escapes and specifiers untouched. */
  readonly value: string;
}

/** A unit: its file's assignments, then those of each drop-in, in the order in which they count. */
export type Unit = readonly Assignment[];

const blanks = " \t\n\r";

/**
 * The assignments of a unit file or drop-in. A line that is none, or stands before the first section,
 * is passed over, as systemd does with a warning.
 *
 * @param what - names the file in the message
 * @throws Failure `unit/malformed` for a section without its end, over which systemd reads no further
 */
export function parseUnitFile(text: string, what: string): Unit {
  const assignments: Assignment[] = [];
  let section: string | undefined;
  for (const { line, number } of joinedLines(text)) {
    if (line.startsWith("[")) {
      if (!line.endsWith("]")) {
        throw new Failure(
          "unit/malformed",
          `${what}: line ${String(number)} is a section without its ']'`,
        );
      }
      section = line.slice(1, -1);
      continue;
    }
    const equals = line.indexOf("=");
    if (equals < 1 || section === undefined) continue;
    const key = trim(line.slice(0, equals));
    assignments.push({ section, key, value: trim(line.slice(equals + 1)) });
  }
  return assignments;
}

/** The lines that count, continued ones joined, each with the number of the last one joined. */
function* joinedLines(text: string): Generator<{ line: string; number: number }> {
  let joined = "";
  let number = 0;
  for (const raw of text.replace(/^\ufeff/u, "").split(/\r\n|\n|\r/u)) {
    number++;
    const piece = trimStart(raw);
    // Also between continued lines, where it doesn't end them.
    if (/^[#;]/u.test(piece)) continue;
    joined += piece;
    if (endsInBackslash(joined)) {
      joined = `${joined.slice(0, -1)} `;
      continue;
    }
    const line = trim(joined);
    joined = "";
    if (line !== "") yield { line, number };
  }
  if (trim(joined) !== "") yield { line: trim(joined), number };
}

/** Whether the last backslash of a line stands for itself and not with the one before it. */
function endsInBackslash(line: string): boolean {
  return (/\\*$/u.exec(line)?.[0].length ?? 0) % 2 === 1;
}

function trimStart(text: string): string {
  let from = 0;
  while (from < text.length && blanks.includes(text[from] ?? "")) from++;
  return text.slice(from);
}

function trim(text: string): string {
  const begun = trimStart(text);
  let to = begun.length;
  while (to > 0 && blanks.includes(begun[to - 1] ?? "")) to--;
  return begun.slice(0, to);
}

/** Every value of a list such as `ExecStart=`: an empty assignment forgets those before it. */
export function listOf(unit: Unit, section: string, key: string): readonly string[] {
  let values: string[] = [];
  for (const assignment of unit) {
    if (assignment.section !== section || assignment.key !== key) continue;
    values = assignment.value === "" ? [] : [...values, assignment.value];
  }
  return values;
}

/** The value that counts of a setting that has one; undefined if it was never set, or set to nothing. */
export function valueOf(unit: Unit, section: string, key: string): string | undefined {
  const last = unit.findLast((one) => one.section === section && one.key === key)?.value;
  return last === "" ? undefined : last;
}

/** A unit as text: sections in the order of their first assignment, one line an assignment. */
export function printUnit(unit: Unit): string {
  const sections = [...new Set(unit.map(({ section }) => section))];
  return sections
    .map((section) => {
      const lines = unit
        .filter((assignment) => assignment.section === section)
        .map(({ key, value }) => `${key}=${value}\n`);
      return `[${section}]\n${lines.join("")}`;
    })
    .join("\n");
}
