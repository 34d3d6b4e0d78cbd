import type { Located } from "../../cluster/configuration.ts";
import { Failure } from "../../failure.ts";
import type { RepositoryConfiguration } from "../../formats/configuration.ts";
import type { SchedulerApi } from "../../formats/scheduler-configuration.ts";
import type { ServiceFile } from "../../formats/service-file.ts";
import type { AskedScheduler } from "../../schedulers/endpoint.ts";
import type { Guard } from "../../service/guard.ts";
import { ways, type WayName } from "../../service/scheduled/ways.ts";
import type { Context } from "../context.ts";
import { checkEnvironment, guardOf } from "../unit/service-guard.ts";

/** The way that was chosen, and what is configured of it. */
export type Way =
  | { readonly through: "ssh" }
  | { readonly through: "pacemaker"; readonly node?: string | undefined }
  | {
      readonly through: AskedScheduler;
      readonly api: SchedulerApi;
      /** The configuration's file, from which paths are taken. */
      readonly file: string;
    };

/**
 * The way that is asked for; else the one scheduler that is configured, or ssh where there is none.
 *
 * @throws Failure `usage/invalid` if there are several, or that one isn't configured
 */
export function chooseWay(
  { configuration, path }: Located<RepositoryConfiguration>,
  asked: WayName | undefined,
): Way {
  const schedulers = configuration.schedulers ?? {};
  const configured = ways.filter((way) => way !== "ssh" && schedulers[way] !== undefined);
  const [only = "ssh", ...more] = configured;
  if (asked === undefined && more.length > 0) {
    throw new Failure(
      "usage/invalid",
      `${path} has several schedulers: ${configured.join(", ")}`,
      `say which: --through ${only}, or --through ssh for none of them`,
    );
  }
  const through = asked ?? only;
  if (through === "ssh") return { through };
  if (through === "pacemaker") return { through, ...schedulers.pacemaker };
  const api = schedulers[through];
  if (api !== undefined) return { through, api, file: path };
  throw new Failure(
    "usage/invalid",
    `${path} doesn't say where ${through} is, of schedulers it has ${configured.join(", ") || "none"}`,
    `write it there: "schedulers": {"${through}": {"url": "https://HOST:PORT"}}`,
  );
}

/** Returns if the options mean something on that way. @throws Failure `usage/invalid` */
export function requireMeant(
  { through }: Way,
  { nodes, copyClosure }: { readonly nodes: readonly string[]; readonly copyClosure: boolean },
): void {
  if (through === "ssh" || through === "pacemaker") return;
  if (nodes.length > 0) {
    throw new Failure(
      "usage/invalid",
      `--node ${nodes.join(" --node ")}: ${through} picks the nodes`,
      "say which may be picked in the service file, by placement; or say --through ssh",
    );
  }
  if (!copyClosure) return;
  throw new Failure(
    "usage/invalid",
    `--copy-closure: which nodes ${through} picks is known only then`,
    "let the nodes use a cache: 'cache' in sealaunch.json",
  );
}

/** What it is called where it runs, and what guards its command there. @throws Failure as `guardOf` */
export async function guardThrough(
  context: Context,
  service: ServiceFile,
  { through }: Way,
): Promise<{ readonly name: string; readonly guard: Guard }> {
  if (through === "nomad" || through === "marathon") {
    checkEnvironment(service, service.name);
    return guardOf(context, service, true);
  }
  if (through !== "fleet") return guardOf(context, service);
  // Bundles name the instances of a unit, and not each.
  const { guard } = await guardOf(context, { ...service, name: `${service.name}@00000000` });
  const { fleetUnit, fleetUnitName } = await import("../../service/scheduled/fleet-unit.ts");
  return { name: fleetUnitName(service.name, fleetUnit(service, guard)), guard };
}
