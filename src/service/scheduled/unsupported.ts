import { Failure } from "../../failure.ts";
import type { ServiceFile } from "../../formats/service-file.ts";

/** What writes of a service what a scheduler takes. */
export type Scheduler = "systemd" | "fleet" | "pacemaker" | "nomad" | "marathon";

/** What a field of a service file asks for, and the scheduler can't do; to be thrown. */
export function unsupported(
  { name }: ServiceFile,
  scheduler: Scheduler,
  field: string,
  why: string,
  hint: string,
): Failure {
  return new Failure("service/unsupported", `service ${name}: ${field}: ${scheduler} ${why}`, hint);
}
