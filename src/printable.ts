/**
 * `text` with every character that could steer a terminal, or hide what a line says, written as
 * `\uXXXX`: controls, line and paragraph separators, and format characters such as the
 * bidirectional overrides. The result is one line, and inside a JSON text it still means the same.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    // By UTF-16 unit, as JSON writes them: a tag character lies outside the first plane.
    Array.from(
      { length: character.length },
      (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}
