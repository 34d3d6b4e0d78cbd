import type { ServiceFile } from "../../formats/service-file.ts";
import { guardOptions, type Guard } from "../guard.ts";
import { unsupported, type Scheduler } from "./unsupported.ts";

/** What is done by systemd alone, and how the service would miss it. */
const systemdAlone = [
  ["sockets", "which is no systemd, hands it no sockets"],
  ["stateDirectories", "which is no systemd, makes no directories"],
  ["cacheDirectories", "which is no systemd, makes no directories"],
  ["logsDirectories", "which is no systemd, makes no directories"],
  ["runtimeDirectories", "which is no systemd, makes no directories"],
  ["unit", "has no units"],
  ["service", "has no units"],
] as const;

/**
 * The command that launches a service in place, as root, word by word: the launcher drops privileges
 * itself.
 *
 * @param launcher - `sealaunch`, where nodes have it
 * @throws Failure `service/unsupported`
 */
export function inPlaceCommand(
  service: ServiceFile,
  guard: Guard,
  scheduler: Scheduler,
  launcher: string,
): [program: string, ...words: string[]] {
  const { type, user, group } = service;
  if (type !== "exec" && type !== "idle") {
    throw unsupported(
      service,
      scheduler,
      "type",
      `counts what has begun as started, and knows no ${type}`,
      'say "exec"',
    );
  }
  for (const [field, why] of systemdAlone) {
    if (service[field].length === 0) continue;
    throw unsupported(
      service,
      scheduler,
      field,
      why,
      "let the service do without, or place it with Pacemaker, fleet or systemd",
    );
  }
  if (service.onChange !== "nothing") {
    throw unsupported(
      service,
      scheduler,
      "onChange",
      "starts it without the agent, which would see the change",
      'say "nothing", and let what seals the new value restart the job',
    );
  }
  if (user === undefined) {
    throw unsupported(
      service,
      scheduler,
      "user",
      "makes no user for it",
      'name one that nodes have, such as "nobody"',
    );
  }
  return [
    launcher,
    "run",
    "--in-place",
    ...guardOptions(guard, "run"),
    ...["--user", user],
    ...(group === undefined ? [] : ["--group", group]),
    ...service.supplementaryGroups.flatMap((one) => ["--supplementary-group", one]),
    ...service.capabilities.flatMap((one) => ["--ambient-capability", one]),
    "--no-new-privileges",
    ...["--closure-timeout", String(service.startTimeout)],
    "--",
    service.program,
    ...service.arguments,
  ];
}
