import { basename } from "node:path";
import { textOf } from "../../crypto/bytes.ts";
import { Failure } from "../../failure.ts";
import { parseUnitFile, type Unit } from "../../service/unit-file.ts";
import type { Context } from "../context.ts";
import { readFileOf } from "../given-file.ts";

/** What a unit file or a drop-in says. @throws Failure `file/absent`, `unit/malformed` */
export async function readUnitPart(context: Context, path: string): Promise<Unit> {
  const text = textOf(await readFileOf(context, path));
  if (text === undefined) throw new Failure("unit/malformed", `${path} is not UTF-8`);
  return parseUnitFile(text, basename(path));
}
