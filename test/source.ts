import { readdirSync, readFileSync } from "node:fs";
import { join, normalize, relative } from "node:path";

/** The directory that holds package.json. */
export const projectRoot = join(import.meta.dirname, "..");

/** One import of a source file. */
export interface Import {
  /** A path relative to src/ for a file of ours, else the package or Node's module. */
  readonly target: string;
  readonly isOurs: boolean;
  readonly isTypeOnly: boolean;
  /** Loaded when the line runs, by `import()`. */
  readonly isLazy: boolean;
}

/** Every file below a folder of the project whose name ends so, relative to that folder. */
export function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(projectRoot, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(ending))
    .sort();
}

/** The text of a file of the project. */
export function textOfFile(path: string): string {
  return readFileSync(join(projectRoot, path), "utf8");
}

// Prettier writes every import in one of these forms, so three patterns read them all.
const staticImport = /^(?:import|export)(?<typeOnly> type)?(?: [^;"]*? from)? "(?<from>[^"]+)"/gmu;
const lazyImport = /\bimport\(\s*"(?<from>[^"]+)"\s*\)/gu;

/** What a file of src/ imports, read from its text. */
export function importsOf(file: string): Import[] {
  // What doc comments show as an example is no import.
  const text = textOfFile(join("src", file)).replace(/^\s*\*.*$/gmu, "");
  const found = (match: RegExpExecArray, isLazy: boolean): Import => {
    const from = match.groups?.["from"] ?? "";
    const isOurs = from.startsWith(".");
    return {
      target: isOurs ? relative(".", normalize(join(file, "..", from))) : from,
      isOurs,
      isTypeOnly: match.groups?.["typeOnly"] !== undefined,
      isLazy,
    };
  };
  return [
    ...[...text.matchAll(staticImport)].map((match) => found(match, false)),
    ...[...text.matchAll(lazyImport)].map((match) => found(match, true)),
  ];
}
