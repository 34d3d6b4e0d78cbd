import { pageData } from "./page-data.ts";
import type { ScanReport } from "./report.ts";

/** Where the page has its report, as script/scan-page.ts leaves it. */
export const reportPlace = '{"report":"here"}';

// Inside a script element only `<` could end it or begin a comment; the two line separators are the
// only characters of JSON that a script of old couldn't have.
const escapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/**
 * One page with all of the report, which loads nothing and asks nobody.
 *
 * @param template - the page without a report: dist/scan-page.html
 */
export function reportPage(report: ScanReport, template: string): string {
  const [before, after, ...more] = template.split(reportPlace);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error("internal: the page has not exactly one place for its report");
  const data = JSON.stringify(pageData(report)).replace(
    /[<>&\u2028\u2029]/gu,
    (character) => escapes[character] ?? "",
  );
  return before + data + after;
}
