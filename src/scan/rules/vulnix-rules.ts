import { parse, TomlDate, TomlError } from "smol-toml";
import { Failure } from "../../failure.ts";
import { type Rule } from "./rule.ts";

/** Rules, and what of their file means nothing to us, a line each. */
export interface RuleFile {
  readonly rules: readonly Rule[];
  readonly warnings: readonly string[];
}

const longest = 16 * 1024 * 1024;
const known = new Set(["cve", "until", "comment", "issue_url", "status"]);

/**
 * The rules of a file in TOML as vulnix reads it (vulnix-whitelist(5)): a table for each package,
 * `["NAME-VERSION"]`, `["NAME"]` or `["*"]`, with `cve`, `until`, `comment` and `issue_url`, none of
 * them needed but `cve` of `["*"]`.
 *
 * @param file - what rules and failures call it
 * @throws Failure `rules/invalid`
 */
export function readVulnixRules(file: string, text: string): RuleFile {
  if (text.length > longest) throw invalid(file, "it is over 16 MiB");
  let tables: Readonly<Record<string, unknown>>;
  try {
    tables = parse(text, { maxDepth: 8 });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const what = error.message.split("\n")[0]?.replace(/^Invalid TOML document: /, "") ?? "";
    throw invalid(file, `line ${String(error.line)} is no TOML: ${what}`);
  }
  const read = Object.entries(tables).map(([header, table]) => ruleOf(file, header, table));
  return {
    rules: read.map(({ rule }) => rule),
    warnings: read.flatMap(({ warnings }) => warnings),
  };
}

function ruleOf(
  file: string,
  header: string,
  table: unknown,
): { readonly rule: Rule; readonly warnings: readonly string[] } {
  const place = `[${JSON.stringify(header)}]`;
  if (!isTable(table)) throw invalid(file, `${header} stands outside of a table`);
  const values = Object.entries(table);
  // [libxslt-2.0] is TOML for a table `0` in a table `libxslt-2`.
  const inner = values.find(([, value]) => isTable(value));
  if (inner !== undefined)
    throw invalid(
      file,
      `the header [${header}.${inner[0]}] needs quotes: ["${header}.${inner[0]}"]`,
    );
  const cves = wordsOf(file, place, "cve", table["cve"]);
  if (header === "*" && cves.length === 0) throw invalid(file, `${place} needs a list cve`);
  const [, name, version] = /^(\S+?)-([0-9]\S*)$/.exec(header) ?? [undefined, header, undefined];
  const notes = [
    ...wordsOf(file, place, "comment", table["comment"]),
    ...wordsOf(file, place, "issue_url", table["issue_url"]),
  ];
  return {
    rule: {
      by: file,
      about: { name, version, ecosystem: undefined, path: undefined },
      advisories: cves.length === 0 ? undefined : new Set(cves.map((one) => one.toUpperCase())),
      until: dayOf(file, place, table["until"]),
      why: notes.join("; "),
      says: "ignored",
      isForListedOnly: true,
    },
    warnings: values
      .filter(([key]) => !known.has(key))
      .map(
        ([key]) =>
          `rules ${JSON.stringify(file)}: ${place} has a key ${key}, which means nothing here`,
      ),
  };
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

function wordsOf(file: string, place: string, key: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((one) => {
    if (typeof one === "string") return one;
    throw invalid(file, `${key} of ${place} is no text, and no list of texts`);
  });
}

function dayOf(file: string, place: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const day = value instanceof TomlDate ? value.toISOString().slice(0, 10) : value;
  if (typeof day === "string" && /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(day)) {
    // 2026-02-30 is no day.
    const date = new Date(`${day}T00:00:00Z`);
    if (!Number.isNaN(date.getTime()) && date.toISOString().startsWith(day)) return day;
  }
  throw invalid(file, `until of ${place} is no day such as 2027-01-31`);
}

function invalid(file: string, why: string): Failure {
  return new Failure("rules/invalid", `rules ${JSON.stringify(file)}: ${why}`);
}
