import { createHash } from "node:crypto";
import type { ServiceFile } from "../../formats/service-file.ts";
import type { Guard } from "../guard.ts";
import { systemdUnit } from "../systemd-unit.ts";
import { printUnit, type Assignment } from "../unit-file.ts";
import { unsupported } from "./unsupported.ts";

/** The most bytes that fleet reads of a line (coreos/go-systemd, unit.SYSTEMD_LINE_MAX). */
const maxLine = 2048;

/**
 * The unit of a service under fleet, as text: what systemd gets, without [Install], which fleet would
 * enable, and with [X-Fleet].
 *
 * @throws Failure `service/unsupported`
 */
export function fleetUnit(service: ServiceFile, guard: Guard): string {
  // Two instances share their directories, and systemd would remove the new one's with the old one.
  const kept = service.runtimeDirectories.length === 0 ? [] : ["RuntimeDirectoryPreserve=yes"];
  const lines = [...kept, ...service.service];
  const unit = systemdUnit({ ...service, wantedBy: [], service: lines }, guard);
  const placed = [...placing(service)];
  const text = placed.length === 0 ? unit : `${unit}\n${printUnit(placed)}`;
  const long = text.split("\n").find((line) => Buffer.byteLength(line) >= maxLine);
  if (long === undefined) return text;
  const [key = ""] = long.split("=", 1);
  throw unsupported(
    service,
    "fleet",
    key,
    `reads lines of less than ${String(maxLine)} bytes, and this one has ${String(Buffer.byteLength(long))}`,
    "move what is long into a file of the service's store path",
  );
}

/**
 * The name under which fleet runs a text of a service. Each text is an instance of its own: given another text for
 * a unit, fleet keeps the old one, or from 0.13 on ends it before the new one has started.
 */
export function fleetUnitName(name: string, text: string): string {
  return `${name}@${createHash("sha256").update(text).digest("hex").slice(0, 8)}.service`;
}

function* placing(service: ServiceFile): Generator<Assignment> {
  const { instances, placement } = service;
  const line = (key: string, value: string): Assignment => ({ section: "X-Fleet", key, value });
  if (instances === "every node") yield line("Global", "true");
  else if (instances > 1) {
    throw unsupported(
      service,
      "fleet",
      "instances",
      `runs one of a unit or one on every node, not ${String(instances)}`,
      'say "every node", or write a service file for each',
    );
  }
  if (placement?.datacenters !== undefined) {
    throw unsupported(
      service,
      "fleet",
      "placement.datacenters",
      "has none",
      "say it by an attribute of the machines, in placement.where",
    );
  }
  const [not] = Object.keys(placement?.whereNot ?? {});
  if (not !== undefined) {
    throw unsupported(
      service,
      "fleet",
      `placement.whereNot.${not}`,
      "places by what a machine is, and not by what it isn't",
      "give the other machines an attribute, and name it in placement.where",
    );
  }
  // All in one line: of several lines, fleet would take any.
  const wanted = Object.entries(placement?.where ?? {}).map(
    ([name, value]) => `"${name}=${value}"`,
  );
  if (wanted.length > 0) yield line("MachineMetadata", wanted.join(" "));
  // Patterns of path.Match: a service's name has no letter that means something in one.
  for (const other of placement?.apartFrom ?? []) {
    yield line("Conflicts", `${other}.service`);
    // What `deploy` has fleet run of it.
    yield line("Conflicts", `${other}@*.service`);
  }
}
