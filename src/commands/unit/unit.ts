import { basename, dirname, join, resolve } from "node:path";
import { Failure } from "../../failure.ts";
import type { ServiceFile } from "../../formats/service-file.ts";
import { writeFileAtomic } from "../../host/files.ts";
import type { Guard } from "../../service/guard.ts";
import { fleetUnit } from "../../service/scheduled/fleet-unit.ts";
import { marathonApp } from "../../service/scheduled/marathon-app.ts";
import { nomadJob } from "../../service/scheduled/nomad-job.ts";
import { pacemakerCib, pacemakerUnit } from "../../service/scheduled/pacemaker-cib.ts";
import type { Scheduler } from "../../service/scheduled/unsupported.ts";
import { parseProgram } from "../../service/store-path.ts";
import { systemdUnit } from "../../service/systemd-unit.ts";
import { utf8 } from "../../crypto/bytes.ts";
import type { Context } from "../context.ts";
import { openService } from "./service.ts";
import { checkEnvironment, guardOf } from "./service-guard.ts";

interface UnitOptions {
  readonly for: Scheduler;
  /** Where nodes have the program, if it is launched in place. */
  readonly launcher: string;
  /** Whether what it runs is built, where the service file says of what; else it is only named. */
  readonly build: boolean;
  readonly output?: string | undefined;
}

/** Writes what a scheduler takes of a service, checked against what is sealed for it. */
export async function unit(context: Context, path: string, options: UnitOptions): Promise<void> {
  await using opened = await openService(context, path, { isBuilt: options.build });
  const { service } = opened;
  const inPlace = options.for === "nomad" || options.for === "marathon";
  if (inPlace) checkEnvironment(service, basename(path));
  const { name, guard } = await guardOf(context, service, inPlace);
  const { text, unit: placed } = writtenFor(service, guard, options);
  const { output = "-" } = options;
  const written = { unit: name, output, credentials: guard.credentials, text, beside: placed };
  if (output === "-") {
    if (!context.json) await context.output(utf8(text));
    context.result(written);
    return;
  }
  const beside = join(dirname(resolve(context.directory, output)), name);
  if (placed !== undefined) {
    if (beside === resolve(context.directory, output)) {
      throw new Failure(
        "usage/invalid",
        `${output} would be both the configuration and the unit`,
        `--output ${service.name}.xml`,
      );
    }
    await writeFileAtomic(beside, utf8(placed), 0o644);
  }
  await writeFileAtomic(resolve(context.directory, output), utf8(text), 0o644);
  context.print(`wrote ${output}: ${name} runs ${parseProgram(service.program).storePath}`);
  if (placed !== undefined) {
    context.print(`wrote ${name} beside it: every node needs it, and nobody enables it`);
  }
  context.result(written);
}

/** What is written, and the unit beside it where that isn't the same. */
function writtenFor(
  service: ServiceFile,
  guard: Guard,
  { for: scheduler, launcher }: UnitOptions,
): { readonly text: string; readonly unit?: string } {
  const json = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`;
  switch (scheduler) {
    case "systemd":
      return { text: systemdUnit(service, guard) };
    case "fleet":
      return { text: fleetUnit(service, guard) };
    case "pacemaker":
      return pacemakerTexts(service, guard);
    case "nomad":
      return { text: json(nomadJob(service, guard, launcher)) };
    case "marathon":
      return { text: json(marathonApp(service, guard, launcher)) };
  }
}

function pacemakerTexts(
  service: ServiceFile,
  guard: Guard,
): { readonly text: string; readonly unit: string } {
  const unit = pacemakerUnit(service, guard);
  return { text: pacemakerCib(service, unit), unit };
}
