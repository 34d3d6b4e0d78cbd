import { printable } from "../printable.ts";

/** So many characters are handed on at once. */
const pieceLength = 64 * 1024;

/**
 * A value as `JSON.stringify(value, null, 2)` spells it, with a newline at the end, in pieces: a report of a
 * thousand machines is never held as text. What would steer a terminal is escaped.
 *
 * @param value - of plain objects, lists, texts, numbers, booleans and null
 * @param isWhole - whether a field without a value is null, where JSON.stringify leaves it out
 */
export function* jsonPieces(value: unknown, isWhole: boolean): Generator<string, void, undefined> {
  let pending = "";
  const scalar = (one: unknown): string =>
    one === undefined ? "null" : printable(JSON.stringify(one));
  function* list(items: readonly unknown[], indent: string): Generator<string, void, undefined> {
    const deeper = `${indent}  `;
    for (const [index, item] of items.entries()) {
      pending += index === 0 ? `[${deeper}` : `,${deeper}`;
      yield* walk(item, deeper);
    }
    pending += items.length === 0 ? "[]" : `${indent}]`;
  }
  function* fields(one: object, indent: string): Generator<string, void, undefined> {
    const deeper = `${indent}  `;
    let before = "{";
    for (const [name, field] of Object.entries(one) as [string, unknown][]) {
      if (field === undefined && !isWhole) continue;
      pending += `${before}${deeper}${scalar(name)}: `;
      yield* walk(field, deeper);
      before = ",";
    }
    pending += before === "{" ? "{}" : `${indent}}`;
  }
  function* walk(one: unknown, indent: string): Generator<string, void, undefined> {
    if (typeof one !== "object" || one === null || "toJSON" in one) pending += scalar(one);
    else yield* Array.isArray(one) ? list(one, indent) : fields(one, indent);
    if (pending.length < pieceLength) return;
    yield pending;
    pending = "";
  }
  yield* walk(value, "\n");
  yield `${pending}\n`;
}
