import { createTwoFilesPatch } from "diff";
import { basename, dirname, resolve } from "node:path";
import { utf8 } from "../../crypto/bytes.ts";
import { Failure } from "../../failure.ts";
import { parseName } from "../../formats/names.ts";
import { makeDirectory, writeFileAtomic } from "../../host/files.ts";
import { systemctlVersion } from "../../host/systemd/jobs.ts";
import { findUnitFiles } from "../../host/systemd/unit-files.ts";
import type { Guard } from "../../service/guard.ts";
import { parseOnChange } from "../../service/on-change.ts";
import { refuseVersion } from "../../service/reloading.ts";
import { printUnit, type Unit } from "../../service/unit-file.ts";
import { checkLimits } from "../../service/wrap-limits.ts";
import { wrapUnit } from "../../service/wrap.ts";
import type { Context } from "../context.ts";
import { guardFor, type Asked } from "./guard.ts";
import { readUnitPart } from "./part.ts";

export interface WrapOptions extends Omit<Asked, "believesNames"> {
  /** Drop-ins besides those in the unit's own `.d`. */
  readonly dropIns: readonly string[];
  /** Where the drop-in goes; `-` for standard output. Unless given, nothing is written. */
  readonly output: string | undefined;
}

const ownName = "sealaunch.conf";

/** What a drop-in of ours may write. */
const written = /^(?:ExecStart|ExecStartPre|ExecReload|RefreshOnReload|Type|LoadCredential)$/u;

/** Writes a drop-in that gives an existing unit its credentials, and shows what it changes. */
export async function unitWrap(
  context: Context,
  path: string,
  options: WrapOptions,
): Promise<void> {
  const name = parseName("unit", basename(path));
  if (!name.endsWith(".service")) {
    throw new Failure("usage/invalid", `${name} is no service: only NAME.service runs commands`);
  }
  if (options.bundles.length === 0) {
    throw new Failure(
      "usage/invalid",
      "there is nothing to give it",
      "name a bundle: --bundle NAME",
    );
  }
  const { output } = options;
  const own = output === undefined || output === "-" ? ownName : basename(output);
  const unit = await readUnit(context, path, options.dropIns, own);
  const guard = await guardFor(context, name, { ...options, believesNames: true });
  if (!path.includes("/")) await checkVersion(name, guard);
  const warnings = checkLimits(name, unit, guard);
  const { dropIn, before, after } = wrapUnit(name, unit, guard);
  for (const warning of warnings) context.warn(`${name}: ${warning}`);
  if (output === "-" && !context.json) {
    await context.output(utf8(dropIn));
    return;
  }
  const diff = createTwoFilesPatch(
    name,
    `${name} with ${own}`,
    printUnit(before),
    printUnit(after),
  );
  for (const line of diff.trimEnd().split("\n").slice(1)) context.print(line);
  if (output !== undefined && output !== "-") {
    const file = resolve(context.directory, output);
    await makeDirectory(dirname(file), 0o755);
    await writeFileAtomic(file, utf8(dropIn), 0o644);
  }
  if (output === undefined) {
    const place = `/etc/systemd/system/${name}.d/${ownName}`;
    context.print(`nothing is written yet; say where: --output ${place}`);
  } else {
    context.print(`wrote ${output}`);
    context.print(`next: systemctl daemon-reload && systemctl restart ${name}`);
  }
  context.result({
    unit: name,
    output: output ?? null,
    credentials: guard.credentials,
    dropIn,
    diff,
  });
}

/** Returns if this machine's systemd does what the unit is to be wrapped for. @throws Failure `unit/setting` */
async function checkVersion(unit: string, guard: Guard): Promise<void> {
  const how = parseOnChange(guard.onChange ?? "nothing")?.how;
  if (how === undefined || how === "restart") return;
  const version = await systemctlVersion();
  const failure = version === undefined ? undefined : refuseVersion(unit, version, how);
  if (failure !== undefined) throw failure;
}

/** A unit with its drop-ins, in the order in which systemd reads them: by their files' names. */
async function readUnit(
  context: Context,
  path: string,
  given: readonly string[],
  own: string,
): Promise<Unit> {
  const file = resolve(context.directory, path);
  const found =
    (await findUnitFiles(file)) ?? (path.includes("/") ? undefined : await findUnitFiles(path));
  const dropIns = [
    ...new Map([
      ...(found?.dropIns ?? []),
      ...given.map((file) => [basename(file), file] as const),
    ]),
  ]
    .filter(([name]) => name !== own)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const files = [found?.main ?? path, ...dropIns.map(([, file]) => file)];
  const parts = await Promise.all(files.map((file) => readUnitPart(context, file)));
  const late = dropIns.findIndex(([name]) => name > own);
  const overrides = late < 0 ? [] : parts.slice(late + 1).flat();
  if (overrides.some(({ key }) => written.test(key))) {
    throw new Failure(
      "usage/invalid",
      `${dropIns[late]?.[0] ?? ""} comes after ${own}, and changes what that says`,
      `give it a later name: --output …/zz-${own}`,
    );
  }
  return parts.flat();
}
