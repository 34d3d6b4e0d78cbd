import * as z from "zod/mini";
import { decodeConfiguration } from "../canonical.ts";

// What Nomad's API answers (its documentation of version 1.6, "Jobs HTTP API" and those of evaluations,
// allocations and deployments), as far as it is read.

const nullable = <T>(
  item: z.ZodMiniType<T, T>,
): z.ZodMiniOptional<z.ZodMiniNullable<typeof item>> => z.optional(z.nullable(item));

const job = z.object({
  JobModifyIndex: z.int(),
  Version: z.int(),
  Type: z.string(),
  TaskGroups: z.array(z.object({ Name: z.string(), Count: nullable(z.int()) })),
});
/** A job as Nomad has it. */
export type NomadJob = z.infer<typeof job>;

const registered = z.object({ EvalID: z.string(), JobModifyIndex: z.int() });

const counts = nullable(z.record(z.string(), z.int()));
const evaluation = z.object({
  Status: z.string(),
  StatusDescription: nullable(z.string()),
  FailedTGAllocs: nullable(
    z.record(
      z.string(),
      z.object({
        NodesEvaluated: nullable(z.int()),
        ConstraintFiltered: counts,
        DimensionExhausted: counts,
      }),
    ),
  ),
});
/** What came of a change. */
export type NomadEvaluation = z.infer<typeof evaluation>;

const allocation = z.object({
  NodeName: z.string(),
  JobVersion: z.int(),
  DesiredStatus: z.string(),
  ClientStatus: z.string(),
  TaskStates: nullable(
    z.record(
      z.string(),
      z.object({
        Failed: z.boolean(),
        Events: nullable(
          z.array(z.object({ Type: z.string(), DisplayMessage: nullable(z.string()) })),
        ),
      }),
    ),
  ),
});
/** One of a job on a node. */
export type NomadAllocation = z.infer<typeof allocation>;

const deployment = z.nullable(
  z.object({ JobVersion: z.int(), Status: z.string(), StatusDescription: z.string() }),
);
/** How a change goes; null where there is none, as for jobs on every node. */
export type NomadDeployment = z.infer<typeof deployment>;

const code = "scheduler/malformed";

/** @throws Failure `scheduler/malformed` */
export function decodeNomadJob(bytes: Uint8Array): NomadJob {
  return decodeConfiguration(bytes, job, "Nomad's job", code);
}

/** @throws Failure `scheduler/malformed` */
export function decodeNomadRegistered(bytes: Uint8Array): z.infer<typeof registered> {
  return decodeConfiguration(bytes, registered, "Nomad's answer", code);
}

/** @throws Failure `scheduler/malformed` */
export function decodeNomadEvaluation(bytes: Uint8Array): NomadEvaluation {
  return decodeConfiguration(bytes, evaluation, "Nomad's evaluation", code);
}

/** @throws Failure `scheduler/malformed` */
export function decodeNomadAllocations(bytes: Uint8Array): NomadAllocation[] {
  return decodeConfiguration(bytes, z.array(allocation), "Nomad's list of allocations", code);
}

/** @throws Failure `scheduler/malformed` */
export function decodeNomadDeployment(bytes: Uint8Array): NomadDeployment {
  return decodeConfiguration(bytes, deployment, "Nomad's deployment", code);
}
