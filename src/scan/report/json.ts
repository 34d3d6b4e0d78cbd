/** A value as JSON has it: null where nothing is known. */
type Written<T> = T extends undefined
  ? null
  : T extends readonly (infer Item)[]
    ? readonly Written<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Written<T[Key]> }
      : T;

/** A report, or what changed since one, as `--json` prints it: no field is left out. */
export function withNulls<T extends object>(value: T): Written<T> {
  return written(value) as Written<T>;
}

function written(value: unknown): unknown {
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, written(field)]));
}
