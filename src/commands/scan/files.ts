import { resolve } from "node:path";
import packageFile from "../../../package.json" with { type: "json" };
import { utf8 } from "../../crypto/bytes.ts";
import { writeFileAtomic } from "../../host/files.ts";
import { readScanPage } from "../../host/package.ts";
import type { ScanReport } from "../../scan/report/report.ts";
import type { Context } from "../context.ts";

/** Files that a report is written to, besides what is printed. */
export interface ReportFiles {
  readonly html: string | undefined;
  readonly sarif: string | undefined;
  readonly cyclonedx: string | undefined;
  readonly openvex: string | undefined;
}

type Form = keyof ReportFiles;

/** What each file says, made only when it is asked for: together they would be a start of half a second. */
const forms: Readonly<Record<Form, (report: ScanReport) => Promise<string>>> = {
  html: async (report) => {
    const { reportPage } = await import("../../scan/report/page.ts");
    return reportPage(report, await readScanPage());
  },
  sarif: async (report) => {
    const { sarifOf } = await import("../../scan/report/sarif.ts");
    return asText(sarifOf(report, packageFile.version));
  },
  cyclonedx: async (report) => {
    const { cycloneDxOf } = await import("../../scan/report/cyclonedx.ts");
    return cycloneDxOf(report, packageFile.version);
  },
  openvex: async (report) => {
    const { openVexOf } = await import("../../scan/report/openvex.ts");
    return asText(openVexOf(report, "sealaunch scan", packageFile.version));
  },
};

const asText = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

/**
 * The report stands in every file that was asked for, each whole, in place of what was there.
 *
 * @throws Failure `write/refused`, `program/missing`
 */
export async function writeReportFiles(
  context: Context,
  report: ScanReport,
  files: ReportFiles,
): Promise<void> {
  for (const form of Object.keys(forms) as Form[]) {
    const file = files[form];
    if (file === undefined) continue;
    const text = await forms[form](report);
    await writeFileAtomic(resolve(context.directory, file), utf8(text), 0o644);
    context.print(`wrote ${file}`);
  }
}
