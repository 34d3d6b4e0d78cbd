/** The page of a scan's report, from src/scan/page: one file, whose policy allows its own script and style alone. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { reportPlace } from "../src/scan/report/page.ts";

const folder = join(import.meta.dirname, "../src/scan/page");

/** The page without a report: what `dist/scan-page.html` holds. */
export async function scanPage(): Promise<string> {
  const html = await readFile(join(folder, "page.html"), "utf8");
  const [script, style] = await Promise.all([bundled("page.ts"), bundled("page.css")]);
  const parts = [
    ["SCRIPT-HASH", hashOf(script)],
    ["STYLE-HASH", hashOf(style)],
    ["<style></style>", `<style>${style}</style>`],
    ["<script></script>", `<script>${script}</script>`],
    ['id="report"></script>', `id="report">${reportPlace}</script>`],
  ] as const;
  return parts.reduce((page, [place, text]) => filled(page, place, text), html);
}

function filled(page: string, place: string, text: string): string {
  const [before, after, ...more] = page.split(place);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`page.html has not exactly one ${place}`);
  return before + text + after;
}

async function bundled(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, file)],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2023",
    charset: "utf8",
    write: false,
    logLevel: "warning",
  });
  const text = outputFiles[0]?.text.trim() ?? "";
  if (/<\/(?:script|style)|<!--/iu.test(text)) throw new Error(`${file} would end its own element`);
  return text;
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
