/** For options that may be repeated: every value, in the order given. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
