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
  /** Whether somebody has stopped it. */
  Stop: nullable(z.boolean()),
  Type: z.string(),
  TaskGroups: z.array(z.object({ Name: z.string(), Count: nullable(z.int()) })),
});
/** A job as Nomad has it. */
export type NomadJob = z.infer<typeof job>;

const registered = z.object({ EvalID: z.string(), JobModifyIndex: z.int() });

const counts = nullable(z.record(z.string(), z.int()));
const unplaced = nullable(
  z.record(
    z.string(),
    z.object({
      NodesEvaluated: nullable(z.int()),
      ConstraintFiltered: counts,
      DimensionExhausted: counts,
    }),
  ),
);
/** Why nodes were passed over, by task group. */
export type NomadUnplaced = z.infer<typeof unplaced>;

const evaluation = z.object({
  Status: z.string(),
  StatusDescription: nullable(z.string()),
  FailedTGAllocs: unplaced,
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

/** A part of a job, and what would change of it and of its parts. */
export interface NomadDifference {
  /** None, Added, Deleted, Edited. */
  Type: string;
  Name?: string | undefined;
  Fields?: { Type: string; Name: string; Old: string; New: string }[] | null | undefined;
  Objects?: NomadDifference[] | null | undefined;
  TaskGroups?: NomadDifference[] | null | undefined;
  Tasks?: NomadDifference[] | null | undefined;
}
const field = z.object({ Type: z.string(), Name: z.string(), Old: z.string(), New: z.string() });
const difference: z.ZodMiniType<NomadDifference, NomadDifference> = z.lazy(() =>
  z.object({
    Type: z.string(),
    Name: z.optional(z.string()),
    Fields: nullable(z.array(field)),
    Objects: nullable(z.array(difference)),
    TaskGroups: nullable(z.array(difference)),
    Tasks: nullable(z.array(difference)),
  }),
);
const plan = z.object({ Diff: difference, JobModifyIndex: z.int(), FailedTGAllocs: unplaced });

const code = "scheduler/malformed";

/** What would come of registering a job. @throws Failure `scheduler/malformed` */
export function decodeNomadPlan(bytes: Uint8Array): z.infer<typeof plan> {
  return decodeConfiguration(bytes, plan, "Nomad's plan", code);
}

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
