import { type Cpe } from "./advisory.ts";

/** A CPE name, read: what product, and which version it names itself. */
export interface CpeName {
  readonly cpe: Cpe;
  /** `*` any, `-` none; an update is appended (1.0.0beta1). */
  readonly version: string;
  /** It has no update (CPE's `-`): patch levels of the version are other versions. */
  readonly isBare: boolean;
}

const longest = 1_000;

/** Its fields, unescaped: `\:` is a colon within one. */
function fieldsOf(text: string): readonly string[] {
  const fields: string[] = [];
  let field = "";
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    if (character === "\\" && at + 1 < text.length) {
      at++;
      field += text[at] ?? "";
    } else if (character === ":") {
      fields.push(field);
      field = "";
    } else field += character;
  }
  fields.push(field);
  return fields;
}

/**
 * A name in CPE 2.3's formatted string (NISTIR 7695, 6.2); undefined if it is none.
 */
export function parseCpe(text: string): CpeName | undefined {
  if (text.length > longest || !text.startsWith("cpe:2.3:")) return undefined;
  const [, , part, vendor, product, version, update, , , , target] = fieldsOf(text.toLowerCase());
  if (part !== "a" && part !== "o" && part !== "h") return undefined;
  if (vendor === undefined || product === undefined || vendor === "" || product === "")
    return undefined;
  const release = version ?? "*";
  const isUpdated = update !== undefined && update !== "" && update !== "*" && update !== "-";
  const separator = isUpdated && /^[0-9]/.test(update) ? "-" : "";
  return {
    cpe: { part, vendor, product, target: target === undefined || target === "-" ? "*" : target },
    isBare: update === "-",
    version:
      isUpdated && release !== "*" && release !== "-" ? release + separator + update : release,
  };
}
