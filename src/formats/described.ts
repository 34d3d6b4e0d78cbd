import * as z from "zod/mini";

// A service file is written by people, and editors complete it by its JSON Schema; so what a field may
// hold is said by patterns, where one can say it.

/** Text of that pattern; `what` completes "is no …". */
export const text = (pattern: RegExp, what: string): z.ZodMiniType<string, string> =>
  z.string().check(z.regex(pattern, `is no ${what}`));

/** Any number of them, none if left out. */
export const list = <T>(item: z.ZodMiniType<T, T>): z.ZodMiniDefault<z.ZodMiniArray<typeof item>> =>
  z._default(z.array(item), []);

/** A field with what it means: for docs/units.md and for editors. */
export const said = <T extends z.ZodMiniType>(field: T, meaning: string): T =>
  field.check(z.describe(meaning));
