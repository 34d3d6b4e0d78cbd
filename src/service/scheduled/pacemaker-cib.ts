import { createHash } from "node:crypto";
import type { ServiceFile } from "../../formats/service-file.ts";
import type { Guard } from "../guard.ts";
import { systemdUnit } from "../systemd-unit.ts";
import { unsupported } from "./unsupported.ts";
import { element } from "./xml.ts";

/**
 * The unit that Pacemaker starts and stops: nothing else does, neither systemd after a crash nor a
 * boot, since Pacemaker has to know where it runs.
 */
export function pacemakerUnit(service: ServiceFile, guard: Guard): string {
  return systemdUnit(withoutStart(service), guard);
}

/** A service that systemd doesn't start by itself. */
export function withoutStart(service: ServiceFile): ServiceFile {
  return { ...service, restart: "no", wantedBy: [] };
}

/** Seconds that Pacemaker waits longer than systemd does, so that systemd says first what is wrong. */
const patience = 10;
/** Seconds after which a node on which it failed is tried again. */
const failureTimeout = 60;
/** Seconds between looks, where the service file says nothing. */
const monitorInterval = 10;

/** The resource, or what holds its instances. */
const resourceId = ({ name, instances }: ServiceFile): string =>
  instances === 1 ? name : `every.${name}`;

/** Where it may run. */
const locationId = ({ name }: ServiceFile): string => `location.${name}`;

/** That it doesn't run beside another; one begins so for each. */
const apartPrefix = ({ name }: ServiceFile): string => `apart.${name}.`;

/**
 * The configuration of a service for Pacemaker, as the XML that `cibadmin --modify --allow-create` takes.
 *
 * @param unit - the unit's text: where that changes Pacemaker restarts what runs, and else leaves it alone
 * @throws Failure `service/unsupported`
 */
export function pacemakerCib(service: ServiceFile, unit: string): string {
  const { name, placement } = service;
  // The CIB's schema has it as an ID of XML (NCName).
  if (!/^[a-zA-Z_][a-zA-Z0-9_.-]*$/u.test(name)) {
    throw unsupported(
      service,
      "pacemaker",
      "name",
      "takes names that begin with a letter and have no ':'",
      "give the service another name",
    );
  }
  if (placement?.datacenters !== undefined) {
    throw unsupported(
      service,
      "pacemaker",
      "placement.datacenters",
      "has none",
      "say it by an attribute of the nodes, in placement.where",
    );
  }
  const apart = (placement?.apartFrom ?? []).map((other) =>
    element("rsc_colocation", {
      id: `${apartPrefix(service)}${other}`,
      rsc: resourceId(service),
      "with-rsc": other,
      score: "-INFINITY",
    }),
  );
  return element("configuration", {}, [
    element("resources", {}, [resource(service, unit)]),
    element("constraints", {}, [...location(service), ...apart]),
  ]);
}

/** The name of what changes in the configuration when the unit's text does. */
export const unitDigest = "unit-sha256";

function resource(service: ServiceFile, unit: string): string {
  const { name, instances, startTimeout, stopTimeout, restart, health } = service;
  const op = (operation: string, interval: number, timeout: number, onFail?: string): string =>
    element("op", {
      id: `${name}-${operation}`,
      name: operation,
      interval: `${String(interval)}s`,
      timeout: `${String(timeout + patience)}s`,
      "on-fail": onFail,
    });
  const primitive = element(
    "primitive",
    // With its ending, without which a name such as web.socket would be another unit's.
    { id: name, class: "systemd", type: `${name}.service` },
    [
      // Means nothing to systemd, and is a parameter of the resource to Pacemaker.
      element("instance_attributes", { id: `${name}-unit` }, [
        element("nvpair", {
          id: `${name}-${unitDigest}`,
          name: unitDigest,
          value: createHash("sha256").update(unit).digest("hex"),
        }),
      ]),
      metaAttributes(name, {
        "failure-timeout": `${String(failureTimeout)}s`,
        // What runs stays where it is, though another node would do as well.
        "resource-stickiness": "1",
      }),
      element("operations", {}, [
        op("start", 0, startTimeout),
        op("stop", 0, stopTimeout),
        op(
          "monitor",
          health?.interval ?? monitorInterval,
          health?.timeout ?? monitorInterval,
          restart === "no" ? "stop" : undefined,
        ),
      ]),
    ],
  );
  if (instances === 1) return primitive;
  const id = resourceId(service);
  const most = instances === "every node" ? {} : { "clone-max": String(instances) };
  return element("clone", { id }, [
    metaAttributes(id, { ...most, "clone-node-max": "1", interleave: "true" }),
    primitive,
  ]);
}

function metaAttributes(owner: string, values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).map(([name, value]) =>
    element("nvpair", { id: `${owner}-meta-${name}`, name, value }),
  );
  return element("meta_attributes", { id: `${owner}-meta` }, pairs);
}

/** One rule that bans it from every node which isn't as asked; a node without an attribute has no value of it. */
function location(service: ServiceFile): string[] {
  const id = locationId(service);
  const { where = {}, whereNot = {} } = service.placement ?? {};
  const banned = [
    ...Object.entries(where).map((one) => ["ne", ...one] as const),
    ...Object.entries(whereNot).map((one) => ["eq", ...one] as const),
  ].map(([operation, attribute, value], index) =>
    element("expression", { id: `${id}-${String(index)}`, attribute, operation, value }),
  );
  if (banned.length === 0) return [];
  const rule = element(
    "rule",
    { id: `${id}-rule`, score: "-INFINITY", "boolean-op": "or" },
    banned,
  );
  return [element("rsc_location", { id, rsc: resourceId(service) }, [rule])];
}
