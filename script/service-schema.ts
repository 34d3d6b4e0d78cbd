/** Writes the JSON Schema of service files, and the table of their fields in docs/units.md: `npm run docs`. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "prettier";
import { serviceFileSchema } from "../src/formats/service-file.ts";

const root = join(import.meta.dirname, "..");
export const schemaPath = "docs/schemas/service.schema.json";
export const pagePath = "docs/units.md";

/** The schema's file, as the program says it must be. */
export function schemaFile(): Promise<string> {
  const { $schema, ...schema } = serviceFileSchema();
  return format(JSON.stringify({ $schema, title: "Sealaunch service file", ...schema }), {
    parser: "json",
    printWidth: 100,
  });
}

/** The page, with its table of fields as the program says it must be. */
export function pageWithFields(page: string): Promise<string> {
  const { properties = {}, required = [] } = serviceFileSchema();
  const rows = Object.entries(properties).map(([name, field]) => {
    const { description = "", default: preset } = typeof field === "object" ? field : {};
    const unless = required.includes(name) ? "needed" : preset === undefined ? "" : code(preset);
    return `| \`${name}\` | ${description.replaceAll("|", "\\|")} | ${unless} |`;
  });
  const table = `| field | is | unless given |\n| --- | --- | --- |\n${rows.join("\n")}`;
  const [before = "", , after = ""] = page.split(/<!-- (?:\/)?fields -->\n/u);
  const whole = `${before}<!-- fields -->\n\n${table}\n\n<!-- /fields -->\n${after}`;
  return format(whole, { parser: "markdown", printWidth: 100 });
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}

if (import.meta.main) {
  writeFileSync(join(root, schemaPath), await schemaFile());
  const page = readFileSync(join(root, pagePath), "utf8");
  writeFileSync(join(root, pagePath), await pageWithFields(page));
}
