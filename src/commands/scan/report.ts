import { resolve } from "node:path";
import { Failure } from "../../failure.ts";
import { decodeScanReport } from "../../formats/scan-report.ts";
import { readRegularFile } from "../../host/files.ts";
import { changeLines } from "../../scan/report/change-lines.ts";
import { changesBetween } from "../../scan/report/changes.ts";
import { reportTable } from "../../scan/report/table.ts";
import type { ScanReport } from "../../scan/report/report.ts";
import type { Context } from "../context.ts";

/** Prints a report: a table for people, all of it as JSON for programs. */
export async function tell(context: Context, report: ScanReport): Promise<void> {
  await context.largeResult(report);
  if (context.json) return;
  const { before, head, rows, after } = reportTable(report);
  for (const line of before) context.print(line);
  if (rows.length > 0) await context.table(head, rows);
  for (const line of after) context.print(line);
}

/** A report of ten thousand nodes. */
const maxReportSize = 512 * 1024 * 1024;

/** The report that `scan --json` wrote. @throws Failure `file/absent`, `scan/report-malformed` */
export async function readEarlier(context: Context, file: string): Promise<ScanReport> {
  const path = resolve(context.directory, file);
  const bytes = await readRegularFile(path, maxReportSize);
  if (bytes === undefined) throw new Failure("file/absent", `there is no ${path}`);
  return decodeScanReport(bytes, file);
}

/** Prints what changed from one report to the next. */
export async function tellChanges(
  context: Context,
  before: ScanReport,
  report: ScanReport,
): Promise<void> {
  const changes = changesBetween(before, report);
  for (const line of changeLines(changes, before.made)) context.print(line);
  await context.largeResult(changes);
}
