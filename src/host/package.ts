import { existsSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure.ts";
import { readRegularFile } from "./files.ts";

const maxScriptSize = 64 * 1024;
const maxPageSize = 1024 * 1024;

/** The directory that this program was installed into: where `bin`, `dist` and `wrapper` lie. */
function packageDirectory(): string {
  // This module lies in dist/ once it is bundled, and in src/host/ before.
  const above = join(import.meta.dirname, "..");
  return existsSync(join(above, "wrapper")) ? above : join(above, "..");
}

/**
 * The wrapper as this package has it: the whole text of its script.
 *
 * @throws Failure `program/missing` if the package is not whole
 */
export async function readWrapper(): Promise<Uint8Array> {
  const path = join(packageDirectory(), "wrapper/bin/sealaunch");
  const script = await readRegularFile(path, maxScriptSize);
  if (script !== undefined) return script;
  throw new Failure("program/missing", `there is no ${path}`, "install Sealaunch anew");
}

/**
 * The page of a scan's report, without one.
 *
 * @throws Failure `program/missing` if the package is not whole, or wasn't built
 */
export async function readScanPage(): Promise<string> {
  const path = join(packageDirectory(), "dist/scan-page.html");
  const page = await readRegularFile(path, maxPageSize);
  if (page !== undefined) return Buffer.from(page).toString("utf8");
  throw new Failure("program/missing", `there is no ${path}`, "install Sealaunch anew");
}
