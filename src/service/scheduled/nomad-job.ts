import type { ServiceFile } from "../../formats/service-file.ts";
import type { Guard } from "../guard.ts";
import { inPlaceCommand } from "./in-place.ts";
import { unsupported } from "./unsupported.ts";

/** Nomad's JSON has times in nanoseconds. */
const seconds = (count: number): number => count * 1_000_000_000;

/** Megahertz that stand for one processor, of which Nomad counts instead (docs/schedulers.md). */
const megahertz = 1000;

const distinctPort = "health";

/**
 * The job of a service for Nomad, as `POST /v1/jobs` and `nomad job run -json` take it.
 *
 * @throws Failure `service/unsupported`
 */
export function nomadJob(service: ServiceFile, guard: Guard, launcher: string): object {
  const { name, instances, placement } = service;
  const [other] = placement?.apartFrom ?? [];
  if (other !== undefined) {
    throw unsupported(
      service,
      "nomad",
      "placement.apartFrom",
      `keeps no job apart from another (${other})`,
      "place the two by different values of an attribute: placement.where, placement.whereNot",
    );
  }
  const isEvery = instances === "every node";
  return {
    Job: {
      ID: name,
      Name: name,
      Type: isEvery ? "system" : "service",
      Datacenters: placement?.datacenters ?? ["dc1"],
      Meta: service.owner === undefined ? null : { owner: service.owner },
      Constraints: [
        ...constraints(placement?.where ?? {}, "="),
        ...constraints(placement?.whereNot ?? {}, "!="),
      ],
      Update: isEvery ? { MaxParallel: 1, Stagger: seconds(30) } : update(service, instances),
      TaskGroups: [
        {
          Name: name,
          Count: isEvery ? null : instances,
          RestartPolicy: restartPolicy(service),
          ReschedulePolicy: service.restart === "no" ? { Attempts: 0, Unlimited: false } : null,
          ...asked(service),
          Tasks: [task(service, guard, launcher)],
        },
      ],
    },
  };
}

function constraints(attributes: Readonly<Record<string, string>>, operand: "=" | "!="): object[] {
  return Object.entries(attributes).map(([name, value]) => ({
    LTarget: `\${meta.${name}}`,
    Operand: operand,
    RTarget: value,
  }));
}

/** The new ones are placed beside the old, which end once those are well; else Nomad goes back. */
function update({ overlap, health, startTimeout }: ServiceFile, count: number): object {
  const deadline = startTimeout + 60;
  return {
    MaxParallel: overlap ? count : 1,
    Canary: overlap ? count : 0,
    AutoPromote: overlap,
    AutoRevert: true,
    HealthCheck: health === undefined ? "task_states" : "checks",
    MinHealthyTime: seconds(10),
    HealthyDeadline: seconds(deadline),
    ProgressDeadline: seconds(deadline + 60),
  };
}

/** Where a node can't start it, it is soon tried on another. */
function restartPolicy({ restart }: ServiceFile): object {
  const attempts = restart === "no" ? 0 : 2;
  return { Attempts: attempts, Interval: seconds(300), Delay: seconds(5), Mode: "fail" };
}

function task(service: ServiceFile, guard: Guard, launcher: string): object {
  const { name, stopTimeout, resources } = service;
  const [command, ...words] = inPlaceCommand(service, guard, "nomad", launcher);
  return {
    Name: name,
    Driver: "raw_exec",
    // Each is a template of HCL, in which these would begin a value.
    Config: { command, args: words.map((word) => word.replace(/[$%](?=\{)/gu, "$&$&")) },
    Env: environment(service),
    KillSignal: "SIGTERM",
    KillTimeout: seconds(stopTimeout),
    Resources: {
      CPU: resources?.cpu === undefined ? null : Math.max(1, Math.round(resources.cpu * megahertz)),
      MemoryMB: resources?.memory ?? null,
    },
  };
}

function environment(service: ServiceFile): Readonly<Record<string, string>> {
  const bad = Object.entries(service.environment).find(([, value]) => value.includes("${"));
  if (bad === undefined) return service.environment;
  throw unsupported(
    service,
    "nomad",
    `environment.${bad[0]}`,
    "replaces what stands in ${…}, and there is no way to say that it shouldn't",
    "let a script in the service's store path set it",
  );
}

/** Its port is kept for it, so that no two of it are on one node. */
function asked(service: ServiceFile): object {
  const { name, health } = service;
  if (health === undefined) return {};
  // RFC 1123 says it of labels, and Nomad of services.
  if (!/^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/u.test(name)) {
    throw unsupported(
      service,
      "nomad",
      "name",
      "asks about health under names of at most 63 letters, digits and '-'",
      "give the service such a name, or leave out health",
    );
  }
  const { port, path, interval, timeout } = health;
  return {
    Networks: [{ Mode: "host", ReservedPorts: [{ Label: distinctPort, Value: port }] }],
    Services: [
      {
        Name: name,
        Provider: "nomad",
        PortLabel: distinctPort,
        Checks: [
          {
            Name: distinctPort,
            ...(path === undefined ? { Type: "tcp" } : { Type: "http", Path: path }),
            Interval: seconds(interval),
            Timeout: seconds(timeout),
          },
        ],
      },
    ],
  };
}
