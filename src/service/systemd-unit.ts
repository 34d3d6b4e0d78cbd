import { createHash } from "node:crypto";
import type { ServiceFile } from "../formats/service-file.ts";
import {
  agentSocketUnit,
  isReloaded,
  loadCredentials,
  reloadCommand,
  runCommand,
  type Guard,
} from "./guard.ts";
import { hardening, usesNetwork } from "./hardening.ts";
import { quoteItem, quoteVariable, quoteWord } from "./quoting.ts";
import { parseUnitFile, printUnit, type Assignment, type Unit } from "./unit-file.ts";

/** A setting and its value; one without a value isn't written. */
type Setting = readonly [key: string, value: string | undefined];

/** The unit of a service under systemd, as text. The same service gives the same bytes. */
export function systemdUnit(service: ServiceFile, guard: Guard): string {
  const header = [
    `# ${service.name}.service, written by 'sealaunch unit': change the service file, and write it anew.`,
    ...(service.owner === undefined ? [] : [`# Ask ${service.owner} about it.`]),
    "",
  ];
  return `${header.join("\n")}${printUnit([
    ...section("Unit", [...unitSettings(service)]),
    ...ownLines("Unit", service.unit),
    ...section("Service", [
      ...startSettings(service, guard),
      ...identitySettings(service),
      ...directorySettings(service),
      ...resourceSettings(service),
      ...hardening(service),
    ]),
    ...ownLines("Service", service.service),
    ...section(
      "Install",
      service.wantedBy.length === 0 ? [] : [["WantedBy", service.wantedBy.join(" ")]],
    ),
  ])}`;
}

function section(name: string, settings: readonly Setting[]): Assignment[] {
  return settings.flatMap(([key, value]) =>
    value === undefined ? [] : [{ section: name, key, value }],
  );
}

function ownLines(name: string, lines: readonly string[]): Unit {
  return parseUnitFile([`[${name}]`, ...lines].join("\n"), `"${name.toLowerCase()}"`);
}

function* unitSettings(service: ServiceFile): Generator<Setting> {
  yield ["Description", (service.description ?? service.name).replaceAll("%", "%%")];
  // For 'scan'. What begins so is nothing to systemd (systemd.unit(5)).
  yield ["X-Owner", service.owner];
  const wants = usesNetwork(service) ? ["network-online.target"] : [];
  yield ["Wants", [agentSocketUnit, ...wants].join(" ")];
  if (service.sockets.length > 0) yield ["Requires", service.sockets.join(" ")];
  yield ["After", [agentSocketUnit, ...wants, ...service.sockets, ...service.after].join(" ")];
  // A refused start is cheap, and what it lacks may come at any time.
  yield ["StartLimitIntervalSec", "0"];
}

function startSettings(service: ServiceFile, guard: Guard): Setting[] {
  const { type, program, environment } = service;
  const words = [program, ...service.arguments].map(quoteWord).join(" ");
  return [
    // Never 'simple', which counts as started before there is a program.
    ["Type", type === "idle" ? "exec" : type],
    ["PIDFile", service.pidFile?.replaceAll("%", "%%")],
    ["BusName", service.busName],
    ["Sockets", joined(service.sockets)],
    ...Object.entries(environment).map(([variable, value]): Setting => [
      "Environment",
      quoteVariable(variable, value),
    ]),
    ...loadCredentials(guard).map((value): Setting => ["LoadCredential", value]),
    ["ExecStart", `${runCommand(guard)} ${words}`],
    ...(isReloaded(guard) ? reloadSettings(service, guard) : []),
    ["Restart", service.restart],
    ["RestartSec", `${String(restartDelay(service.name))}ms`],
    // Fetching what it runs is a part of it.
    ["TimeoutStartSec", `${String(service.startTimeout)}s`],
    ["TimeoutStopSec", `${String(service.stopTimeout)}s`],
  ];
}

/** The service's own command is run once all that was fetched anew has been checked. */
function reloadSettings({ reload }: ServiceFile, guard: Guard): Setting[] {
  const own = reload.map(quoteWord).join(" ");
  return [
    ["RefreshOnReload", "credentials"],
    ["ExecReload", reloadCommand(guard)],
    ["ExecReload", own === "" ? undefined : own],
  ];
}

/**
 * Between 1 and 5 seconds, of the name: services that fail together, as when a source is away, don't
 * all come back in the same moment.
 */
function restartDelay(name: string): number {
  return 1000 + (createHash("sha256").update(name).digest().readUInt32BE() % 4000);
}

function identitySettings({ user, group, supplementaryGroups }: ServiceFile): Setting[] {
  return [
    ...(user === undefined ? [["DynamicUser", "yes"] as const] : [["User", user] as const]),
    ["Group", group],
    ["SupplementaryGroups", joined(supplementaryGroups)],
  ];
}

function resourceSettings({ resources }: ServiceFile): Setting[] {
  const { memory, cpu } = resources ?? {};
  return [
    ["MemoryMax", memory === undefined ? undefined : `${String(memory)}M`],
    // systemd counts in hundredths of a percent of one processor.
    ["CPUQuota", cpu === undefined ? undefined : `${String(Number((cpu * 100).toFixed(2)))}%`],
  ];
}

function directorySettings(service: ServiceFile): Setting[] {
  const items = (paths: readonly string[]): string | undefined => joined(paths.map(quoteItem));
  return [
    ["StateDirectory", items(service.stateDirectories)],
    ["CacheDirectory", items(service.cacheDirectories)],
    ["LogsDirectory", items(service.logsDirectories)],
    ["RuntimeDirectory", items(service.runtimeDirectories)],
    ["ReadWritePaths", items(service.writablePaths)],
    ["BindReadOnlyPaths", items(service.readOnlyPaths)],
  ];
}

function joined(words: readonly string[]): string | undefined {
  return words.length === 0 ? undefined : words.join(" ");
}
