import type { ServiceFile } from "../../formats/service-file.ts";
import type { Guard } from "../guard.ts";
import { inPlaceCommand } from "./in-place.ts";
import { unsupported } from "./unsupported.ts";

/** One name of an id (Marathon's stringTypes.raml, PathId). */
const isId =
  /^(?:(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])\.)*(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])$/u;

/**
 * The app of a service for Marathon, as `PUT /v2/apps/ID` takes it.
 *
 * @throws Failure `service/unsupported`
 */
export function marathonApp(service: ServiceFile, guard: Guard, launcher: string): object {
  const { name, instances, placement, resources, overlap, stopTimeout, health } = service;
  refuse(service);
  return {
    id: `/${name}`,
    // By itself and not `cmd`, which a shell would read.
    args: inPlaceCommand(service, guard, "marathon", launcher),
    user: "root",
    env: service.environment,
    ...(resources?.cpu === undefined ? {} : { cpus: resources.cpu }),
    ...(resources?.memory === undefined ? {} : { mem: resources.memory }),
    instances,
    constraints: [
      ...Object.entries(placement?.where ?? {}).map((one) => constraint(one, "LIKE")),
      ...Object.entries(placement?.whereNot ?? {}).map((one) => constraint(one, "UNLIKE")),
    ],
    // All of the new beside all of the old, or one of the old after the other.
    upgradeStrategy: overlap
      ? { minimumHealthCapacity: 1, maximumOverCapacity: 1 }
      : { minimumHealthCapacity: 0, maximumOverCapacity: 0 },
    taskKillGracePeriodSeconds: stopTimeout,
    labels: service.owner === undefined ? {} : { owner: service.owner },
    ...(health === undefined
      ? {}
      : {
          healthChecks: [
            {
              ...(health.path === undefined
                ? { protocol: "MESOS_TCP" }
                : { protocol: "MESOS_HTTP", path: health.path }),
              port: health.port,
              intervalSeconds: health.interval,
              timeoutSeconds: health.timeout,
              gracePeriodSeconds: service.startTimeout,
              maxConsecutiveFailures: 3,
            },
          ],
        }),
  };
}

function refuse(service: ServiceFile): void {
  const { name, instances, placement, restart } = service;
  if (!isId.test(name)) {
    throw unsupported(
      service,
      "marathon",
      "name",
      "takes ids of a-z, 0-9, '-' and '.', with a letter or digit on both sides of each '.'",
      "give the service such a name",
    );
  }
  if (instances === "every node") {
    throw unsupported(service, "marathon", "instances", "can't do every node", "give a number");
  }
  if (restart === "no") {
    throw unsupported(
      service,
      "marathon",
      "restart",
      "starts again whatever ends",
      "leave it out, or place what ends with another scheduler",
    );
  }
  if (placement?.datacenters !== undefined) {
    throw unsupported(
      service,
      "marathon",
      "placement.datacenters",
      "has none",
      "say it by an attribute of the agents, in placement.where",
    );
  }
  const [other] = placement?.apartFrom ?? [];
  if (other !== undefined) {
    throw unsupported(
      service,
      "marathon",
      "placement.apartFrom",
      `keeps no app apart from another (${other})`,
      "place the two by different values of an attribute: placement.where, placement.whereNot",
    );
  }
}

/** The value is a regular expression of Java's, matched whole; an agent without the attribute is unlike it. */
function constraint([attribute, value]: [string, string], operator: "LIKE" | "UNLIKE"): string[] {
  return [attribute, operator, value.replaceAll(".", "\\.")];
}
