/**
 * Reading what others wrote, field by field: each gives what is there if it is of that kind, and
 * nothing otherwise. A schema for 300,000 records would take longer than all else.
 */
type Fields = Readonly<Record<string, unknown>>;

const empty: Fields = Object.freeze(Object.create(null) as Fields);

/** The object that `value` is, or an empty one. */
export function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : empty;
}

/** The list that `value` is, or an empty one. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The text that `value` is, if it is one, not empty, and not longer than `longest` characters. */
export function text(value: unknown, longest = 4_096): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= longest ? value : undefined;
}

/** The texts in the list that `value` is. */
export function texts(value: unknown): readonly string[] {
  return list(value).flatMap((one) => text(one) ?? []);
}

/** What is said in one line, of at most 300 characters, cut where it is longer. */
export function oneLine(value: unknown): string {
  if (typeof value !== "string") return "";
  const line = value.slice(0, 1_200).replace(/\s+/g, " ").trim();
  return line.length <= 300 ? line : `${line.slice(0, 299).trimEnd()}…`;
}
