import * as z from "zod/mini";
import { decodeConfiguration } from "../canonical.ts";

// What fleet's API answers (coreos/fleet, Documentation/api-v1.md), as far as it is read.

/** A line of a unit. */
export interface FleetOption {
  readonly section: string;
  readonly name: string;
  readonly value: string;
}

/** fleet leaves out what is empty (schema/v1-gen.go). */
const mayBeEmpty = z._default(z.string(), "");

const state = z.object({
  name: z.string(),
  hash: mayBeEmpty,
  machineID: z.string(),
  systemdActiveState: mayBeEmpty,
  systemdSubState: mayBeEmpty,
});
/** A unit on a machine. */
export type FleetState = z.infer<typeof state>;

const machine = z.object({
  id: z.string(),
  primaryIP: z.optional(z.string()),
  metadata: z._default(z.record(z.string(), z.string()), {}),
});
/** A machine of the cluster. */
export type FleetMachine = z.infer<typeof machine>;

const unit = z.object({
  name: z.string(),
  options: z._default(
    z.array(z.object({ section: z.string(), name: z.string(), value: mayBeEmpty })),
    [],
  ),
  desiredState: z.optional(z.string()),
});
/** A unit of the cluster. */
export type FleetUnit = z.infer<typeof unit>;

const nextPageToken = z.optional(z.string());
const states = z.object({ states: z._default(z.array(state), []), nextPageToken });
const machines = z.object({ machines: z._default(z.array(machine), []), nextPageToken });
const units = z.object({ units: z._default(z.array(unit), []), nextPageToken });
const fault = z.object({ error: z.object({ message: z.optional(z.string()) }) });

/** A page of the units. @throws Failure `scheduler/malformed` */
export function decodeFleetUnits(bytes: Uint8Array): z.infer<typeof units> {
  return decodeConfiguration(bytes, units, "fleet's list of units", "scheduler/malformed");
}

/** A page of what runs where. @throws Failure `scheduler/malformed` */
export function decodeFleetStates(bytes: Uint8Array): z.infer<typeof states> {
  return decodeConfiguration(bytes, states, "fleet's list of states", "scheduler/malformed");
}

/** A page of the machines. @throws Failure `scheduler/malformed` */
export function decodeFleetMachines(bytes: Uint8Array): z.infer<typeof machines> {
  return decodeConfiguration(bytes, machines, "fleet's list of machines", "scheduler/malformed");
}

/** Why fleet refused. @throws Failure `scheduler/malformed` */
export function decodeFleetError(bytes: Uint8Array): string {
  return (
    decodeConfiguration(bytes, fault, "fleet's error", "scheduler/malformed").error.message ?? ""
  );
}
