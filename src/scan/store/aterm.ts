/** A term of ATerm as derivations have them: text, lists and tuples. */
type Term = string | readonly Term[];

/** No derivation of nixpkgs is near that. */
const longest = 32 * 1024 * 1024;
const deepest = 8;

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
const plain = /[^"\\]*/y;

class Malformed extends Error {}

/**
 * The arguments of `NAME(…)`, which is all that `file` holds; undefined if it isn't so. Text is in
 * quotes, with `\n`, `\r`, `\t`, `\"` and `\\` (Nix, "Derivation" in its manual's protocols).
 */
export function parseTerm(file: string, name: string): readonly Term[] | undefined {
  if (file.length > longest || !file.startsWith(`${name}(`)) return undefined;
  let at = name.length;
  const textAt = (): string => {
    let found = "";
    at++;
    for (;;) {
      plain.lastIndex = at;
      const run = plain.exec(file)?.[0] ?? "";
      found += run;
      at += run.length;
      const end = file[at];
      if (end === undefined) throw new Malformed();
      at++;
      if (end === '"') return found;
      const escaped = file[at] ?? "";
      found += escapes[escaped] ?? escaped;
      at++;
    }
  };
  const termAt = (depth: number): Term => {
    const first = file[at];
    if (first === '"') return textAt();
    if ((first !== "[" && first !== "(") || depth > deepest) throw new Malformed();
    const end = first === "[" ? "]" : ")";
    const terms: Term[] = [];
    at++;
    while (file[at] !== end) {
      if (terms.length > 0 && file[at++] !== ",") throw new Malformed();
      terms.push(termAt(depth + 1));
    }
    at++;
    return terms;
  };
  try {
    const found = termAt(0);
    return at === file.trimEnd().length && typeof found !== "string" ? found : undefined;
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}
