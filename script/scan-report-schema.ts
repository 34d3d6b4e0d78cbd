/** Writes the JSON Schema of what `scan --json` prints: `npm run docs`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "prettier";
import { scanReportSchema } from "../src/formats/scan-report.ts";

export const scanReportPath = "docs/schemas/scan-report.schema.json";

/** The schema's file, as the program says it must be. */
export function scanReportFile(): Promise<string> {
  const { $schema, ...schema } = scanReportSchema();
  return format(JSON.stringify({ $schema, title: "Sealaunch scan report", ...schema }), {
    parser: "json",
    printWidth: 100,
  });
}

if (import.meta.main)
  writeFileSync(join(import.meta.dirname, "..", scanReportPath), await scanReportFile());
